import { IPAddresses, type Service } from "@skiff/api";
import { type Clock, type Random, timestamp, uuid } from "@skiff/base";
import type { Comparison, Operation } from "@skiff/store";
import { resourcePrefix } from "../cache/keys.ts";
import { storedText } from "../encoding/object-json.ts";

/** Who writes IPAddress objects for Services, as they say themselves. */
export const managedByLabel = "ipaddress.kubernetes.io/managed-by";
export const addressManager = "ipallocator.k8s.io";

/** Node ports that Services have, each under its number: no object of the API, so not below `/registry/`. */
export const nodePortPrefix = "/skiff/nodeports/";

/**
 * What a write of a Service does beside writing it, in the same transaction: no two Services can have one address or port,
 * whichever servers they were written by, and nothing stays taken for a Service that was not written.
 */
export interface Claims {
  /** Must hold, besides what the Service's own key must. */
  readonly compare: readonly Comparison[];
  readonly operations: readonly Operation[];
}

/** Somebody else has an address or port that was to be taken. */
export class ClaimTaken extends Error {
  override name = "ClaimTaken";
  readonly code = "CLAIM_TAKEN";
}

export const addressKey = (address: string): string => resourcePrefix(IPAddresses) + address;
export const nodePortKey = (port: number): string => `${nodePortPrefix}${port}`;

/** The IPAddress object of a Service's address, as it is stored. */
export function addressValue(
  address: string,
  { metadata }: Service,
  { clock, random }: { readonly clock: Clock; readonly random: Random },
): Buffer {
  const object = {
    kind: "IPAddress",
    apiVersion: "networking.k8s.io/v1",
    metadata: {
      name: address,
      uid: uuid(random),
      creationTimestamp: timestamp(clock.now()),
      labels: { "ipaddress.kubernetes.io/ip-family": "IPv4", [managedByLabel]: addressManager },
      generation: 1,
    },
    spec: { parentRef: { group: "", resource: "services", namespace: metadata.namespace, name: metadata.name } },
  };
  return Buffer.from(storedText(object));
}

/** What is noted under a node port: whose it is. */
export const nodePortValue = ({ metadata }: Service): Buffer => Buffer.from(`${metadata.namespace}/${metadata.name}`);
