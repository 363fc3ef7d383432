import type { IPAddress, New, Service } from "@skiff/api";
import { parseAddress } from "@skiff/base";

const familyLabel = "ipaddress.kubernetes.io/ip-family";
const managedByLabel = "ipaddress.kubernetes.io/managed-by";
const manager = "ipallocator.k8s.io";

/** The addresses that a Service has of the cluster. */
export function addressesOf({ spec }: Service): readonly string[] {
  if (spec?.type === "ExternalName") return [];
  return (spec?.clusterIPs ?? []).filter((address) => parseAddress(address) !== undefined);
}

export const familyOf = (address: string): string => parseAddress(address)?.family ?? "";

/** The object that says whose an address is. */
export const addressFor = (address: string, { metadata }: Service): New<IPAddress> => ({
  metadata: { name: address, labels: { [familyLabel]: familyOf(address), [managedByLabel]: manager } },
  spec: { parentRef: { group: "", resource: "services", namespace: metadata.namespace, name: metadata.name } },
});

/** Whether an address was made for Services: others are somebody else's business. */
export const isForServices = ({ metadata }: IPAddress): boolean => metadata.labels?.[managedByLabel] === manager;

export function refersToService({ spec }: IPAddress): boolean {
  return (spec?.parentRef?.group ?? "") === "" && spec?.parentRef?.resource === "services";
}

/** What is wrong with the object of a Service's address. */
export type Fault =
  | { readonly kind: "none" }
  | { readonly kind: "missing" }
  /** It says that it is somebody else's, who does not have it. */
  | { readonly kind: "wrong reference" }
  /** It is another Service's, too. */
  | { readonly kind: "shared" }
  | { readonly kind: "wrong labels" };

/** Compares a Service's address with its object. `other`: the Service that the object names, should it be another one. */
export function faultOf(
  service: Service,
  address: string,
  found: IPAddress | undefined,
  other: (namespace: string, name: string) => Service | undefined,
): Fault {
  if (found === undefined) return { kind: "missing" };
  if (!refersToService(found)) return { kind: "wrong reference" };
  const { namespace = "", name = "" } = found.spec?.parentRef ?? {};
  if (namespace !== service.metadata.namespace || name !== service.metadata.name) {
    const owner = other(namespace, name);
    if (owner === undefined) return { kind: "wrong reference" };
    if (addressesOf(owner).includes(address)) return { kind: "shared" };
  }
  const labelled = isForServices(found) && found.metadata.labels?.[familyLabel] === familyOf(address);
  return labelled ? { kind: "none" } : { kind: "wrong labels" };
}
