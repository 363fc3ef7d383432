import {
  type EndpointSlice,
  EndpointSlices,
  Endpoints,
  type Endpoints as EndpointsObject,
  isConflict,
  isNotFound,
} from "@skiff/api";
import { type Clock, describeError, isAbort, jsonEqual, type Logger } from "@skiff/base";
import type { Client } from "@skiff/client";
import { LeaseNotFoundError, prefixRange, type Store } from "@skiff/store";

/** Servers say here that they live, each under `IP:PORT`, with a lease that ends with them. */
const serversPrefix = "/skiff/servers/";
/** What a server that was killed is still taken for alive, and how often each one renews its lease and looks around. */
const lifeMs = 15_000;
const renewMs = 5_000;

/** Where one API server is reached. */
export interface ServerAddress {
  readonly ip: string;
  readonly port: number;
}

interface Options {
  readonly store: Store;
  readonly client: Client;
  readonly address: ServerAddress;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Until the signal is aborted, keeps this server among those that live, and the endpoints of the Service `kubernetes` as all
 * of them: each server does so, and whoever comes first with a change is as right as any other.
 */
export async function keepAmongServers(options: Options, signal: AbortSignal): Promise<void> {
  const { store, clock, logger } = options;
  const announcement = new Announcement(options);
  let changed = Promise.withResolvers<void>();
  const change = () => changed.resolve();
  const watch = () =>
    store.watch({
      range: prefixRange(serversPrefix),
      fromRevision: store.revision + 1,
      onBatch: change,
      onEnd: change,
    });
  try {
    while (!signal.aborted) {
      using _watching = watch();
      changed = Promise.withResolvers<void>();
      try {
        await announcement.renew();
        await reconcile(options, signal);
      } catch (error) {
        if (isAbort(error, signal)) break;
        if (!isConflict(error)) logger.warn(`the servers of the cluster are not known: ${describeError(error)}`);
      }
      const waited = new AbortController();
      const either = AbortSignal.any([signal, waited.signal]);
      await Promise.race([clock.sleep(renewMs, either).catch(() => {}), changed.promise]);
      waited.abort();
    }
  } finally {
    await announcement.end().catch(() => {});
  }
}

/** The entry of one server, as long as its lease. */
class Announcement {
  readonly #options: Options;
  #lease: number | undefined;

  constructor(options: Options) {
    this.#options = options;
  }

  async renew(): Promise<void> {
    const { store, address } = this.#options;
    if (this.#lease !== undefined) {
      try {
        await store.keepLeaseAlive(this.#lease);
        return;
      } catch (error) {
        if (!(error instanceof LeaseNotFoundError)) throw error;
      }
    }
    const lease = await store.grantLease(lifeMs);
    const key = `${serversPrefix}${address.ip}:${address.port}`;
    const value = Buffer.from(JSON.stringify(address));
    await store.commit({ compare: [], operations: [{ kind: "put", key, value, lease: lease.id }] });
    this.#lease = lease.id;
  }

  async end(): Promise<void> {
    if (this.#lease !== undefined) await this.#options.store.revokeLease(this.#lease);
  }
}

async function reconcile({ store, client }: Options, signal: AbortSignal): Promise<void> {
  const { entries } = await store.range(prefixRange(serversPrefix));
  const servers = entries.map(({ key }): ServerAddress => {
    const at = key.lastIndexOf(":");
    return { ip: key.slice(serversPrefix.length, at), port: Number(key.slice(at + 1)) };
  });
  if (servers.length === 0) return;
  await Promise.all([reconcileEndpoints(client, servers, signal), reconcileSlices(client, servers, signal)]);
}

/** The addresses of the servers by their ports: mostly all have the same. */
const byPort = (servers: readonly ServerAddress[]): ReadonlyMap<number, readonly string[]> =>
  new Map(
    [...Map.groupBy(servers, ({ port }) => port)]
      .toSorted(([a], [b]) => a - b)
      .map(([port, group]) => [port, group.map(({ ip }) => ip).toSorted()]),
  );

const place = { name: "kubernetes", namespace: "default" };
const portOf = (port: number) => ({ name: "https", port, protocol: "TCP" as const });

/** The subsets of the Endpoints `kubernetes`. */
export const kubernetesSubsets = (servers: readonly ServerAddress[]): NonNullable<EndpointsObject["subsets"]> =>
  [...byPort(servers)].map(([port, ips]) => ({ addresses: ips.map((ip) => ({ ip })), ports: [portOf(port)] }));

async function reconcileEndpoints(
  client: Client,
  servers: readonly ServerAddress[],
  signal: AbortSignal,
): Promise<void> {
  const subsets = kubernetesSubsets(servers);
  const labels = { "endpointslice.kubernetes.io/skip-mirror": "true" };
  const found = await found404(client.get(Endpoints, place, { signal }));
  if (found === undefined) await client.create(Endpoints, { metadata: { ...place, labels }, subsets }, { signal });
  else if (!jsonEqual(found.subsets, subsets)) await client.update(Endpoints, { ...found, subsets }, { signal });
}

/** A slice has one list of ports, so that there is one slice for each port: the first is called as the Service. */
async function reconcileSlices(client: Client, servers: readonly ServerAddress[], signal: AbortSignal): Promise<void> {
  const wanted = new Map(
    [...byPort(servers)].map(([port, ips], index): [string, Pick<EndpointSlice, "endpoints" | "ports">] => [
      index === 0 ? place.name : `${place.name}-${port}`,
      { endpoints: ips.map((ip) => ({ addresses: [ip], conditions: { ready: true } })), ports: [portOf(port)] },
    ]),
  );
  const labels = { "kubernetes.io/service-name": place.name };
  const { items } = await client.list(EndpointSlices, {
    namespace: place.namespace,
    labelSelector: `kubernetes.io/service-name=${place.name}`,
    signal,
  });
  const known = new Map(items.map((slice) => [slice.metadata.name, slice]));
  for (const [name, content] of wanted) {
    const slice = known.get(name);
    const metadata = { name, namespace: place.namespace, labels };
    if (slice === undefined) {
      await client.create(EndpointSlices, { metadata, addressType: "IPv4", ...content }, { signal });
    } else if (!jsonEqual({ endpoints: slice.endpoints, ports: slice.ports }, content)) {
      await client.update(EndpointSlices, { ...slice, ...content }, { signal });
    }
  }
  for (const name of known.keys()) {
    const isOurs = name.startsWith(`${place.name}-`) && !wanted.has(name);
    if (isOurs) await found404(client.delete(EndpointSlices, { name, namespace: place.namespace }, { signal }));
  }
}

const found404 = <T>(call: Promise<T>): Promise<T | undefined> =>
  call.catch((error: unknown) => {
    if (isNotFound(error)) return undefined;
    throw error;
  });
