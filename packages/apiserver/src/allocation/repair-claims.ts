import { IPAddresses, type Service, Services } from "@skiff/api";
import type { Clock, Random } from "@skiff/base";
import { type Operation, prefixRange, type Store } from "@skiff/store";
import type { ResourceTable } from "../contracts.ts";
import { numberToIpv4 } from "./ipv4.ts";
import { addressesOf, portsOf } from "./service-allocator.ts";
import {
  addressKey,
  addressManager,
  addressValue,
  managedByLabel,
  nodePortKey,
  nodePortPrefix,
  nodePortValue,
} from "./service-claims.ts";

interface Options {
  readonly store: Store;
  readonly table: ResourceTable;
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * Makes the claims of Services what the Services say, at a server's start: somebody may have deleted an IPAddress by hand, or the
 * Services are older than claims are. Each change stands on the state that it was decided on; what another server changes
 * meanwhile is left to it.
 */
export async function repairClaims(options: Options): Promise<void> {
  const { store, table } = options;
  if (table.find(Services) === undefined || table.find(IPAddresses) === undefined) return;
  // First the ports, then the Services, at least as new: a port that is found without a Service has lost it.
  const ports = await store.range(prefixRange(nodePortPrefix));
  await store.sync();
  const wanted = new Map<string, { readonly service: Service; readonly value: () => Buffer }>();
  for (const service of table.of(Services).peekAll()) {
    for (const address of addressesOf(service).map(numberToIpv4)) {
      wanted.set(addressKey(address), { service, value: () => addressValue(address, service, options) });
    }
    for (const port of portsOf(service))
      wanted.set(nodePortKey(port), { service, value: () => nodePortValue(service) });
  }
  const present = new Map(ports.entries.map(({ key, modRevision }) => [key, modRevision]));
  for (const { metadata } of table.of(IPAddresses).peekAll()) {
    const key = addressKey(metadata.name);
    const isOurs = metadata.labels?.[managedByLabel] === addressManager;
    if (isOurs || wanted.has(key)) present.set(key, Number(metadata.resourceVersion));
  }
  for (const [key, { value }] of wanted) {
    if (!present.has(key)) await change(store, { kind: "put", key, value: value() }, 0);
  }
  for (const [key, modRevision] of present) {
    if (!wanted.has(key)) await change(store, { kind: "delete", key }, modRevision);
  }
}

async function change(store: Store, operation: Operation, modRevision: number): Promise<void> {
  await store.commit({ compare: [{ key: operation.key, modRevision }], operations: [operation] });
}
