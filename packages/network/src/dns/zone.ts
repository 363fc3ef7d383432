import type { Endpoint, EndpointSlice, Service } from "@skiff/api";

import type { NamedRecord, RecordData } from "./records.ts";

/** What the zone says about a name. */
export type ZoneAnswer =
  /** The name exists; records of the type asked for, possibly none. `additional` helps with SRV targets. */
  | { readonly kind: "found"; readonly records: readonly RecordData[]; readonly additional: readonly NamedRecord[] }
  | { readonly kind: "noSuchName" }
  /** Not a name of the cluster. */
  | { readonly kind: "notOurs" };

/** What the zone is made of. */
export interface ZoneSource {
  /** As in `cluster.local`. */
  readonly domain: string;
  service(namespace: string, name: string): Service | undefined;
  slices(namespace: string, service: string): readonly EndpointSlice[];
  namespaceExists(name: string): boolean;
  /** The Service with this ClusterIP. */
  byAddress(address: string): Service | undefined;
  /** Slices with an endpoint of this address. */
  slicesByAddress(address: string): readonly EndpointSlice[];
}

/** Where the zone's own records live, so that `ns.dns.cluster.local` is the cluster's DNS Service. */
const dnsService = { namespace: "kube-system", name: "kube-dns" } as const;

/** Answers that a name does not exist may be kept as long as any other. */
export const startOfAuthority = (domain: string): RecordData => ({
  type: "SOA",
  data: {
    mname: `ns.dns.${domain}`,
    rname: `hostmaster.${domain}`,
    serial: 1,
    refresh: 7_200,
    retry: 1_800,
    expire: 86_400,
    minimum: 5,
  },
});

type Found = Extract<ZoneAnswer, { kind: "found" }>;

const found = (records: readonly RecordData[], additional: readonly NamedRecord[] = []): Found => ({
  kind: "found",
  records,
  additional,
});
const noSuchName: ZoneAnswer = { kind: "noSuchName" };

/**
 * Looks a name up, as Kubernetes' DNS specification has it: Services, their ports, the endpoints of headless ones, pods by
 * address. https://github.com/kubernetes/dns/blob/master/docs/specification.md
 */
export function lookUp(source: ZoneSource, question: { readonly name: string; readonly type: string }): ZoneAnswer {
  const name = question.name.toLowerCase().replace(/\.$/, "");
  if (name.endsWith(".in-addr.arpa")) return reverse(source, { name, type: question.type });
  if (name === source.domain) return ofType(apex(source), question.type);
  if (!name.endsWith(`.${source.domain}`)) return { kind: "notOurs" };
  const labels = name.slice(0, -source.domain.length - 1).split(".");
  const answer = inZone(source, labels);
  return answer.kind === "found" ? ofType(answer, question.type) : answer;
}

const apex = ({ domain }: ZoneSource) => found([startOfAuthority(domain), { type: "NS", data: `ns.dns.${domain}` }]);

/** Of all records of a name, those that were asked for. A CNAME answers every question. */
function ofType(answer: Found, type: string): ZoneAnswer {
  const records = answer.records.filter((record) => record.type === type || record.type === "CNAME" || type === "ANY");
  return { ...answer, records, additional: records.some((record) => record.type === "SRV") ? answer.additional : [] };
}

function inZone(source: ZoneSource, labels: readonly string[]): ZoneAnswer {
  const kind = labels.at(-1);
  const namespace = labels.at(-2);
  if (labels.length === 1 && kind === "dns-version") return found([{ type: "TXT", data: "1.1.0" }]);
  if (kind === "dns") return nameServer(source, labels);
  if (kind !== "svc" && kind !== "pod") return noSuchName;
  if (namespace === undefined) return found([]);
  if (kind === "pod") return podByAddress(source, namespace, labels.slice(0, -2));
  const service = labels.at(-3);
  if (service === undefined) return source.namespaceExists(namespace) ? found([]) : noSuchName;
  const object = source.service(namespace, service);
  if (object === undefined) return noSuchName;
  return inService(source, object, labels.slice(0, -3));
}

function nameServer(source: ZoneSource, labels: readonly string[]): ZoneAnswer {
  if (labels.length === 1) return found([]);
  const address = source.service(dnsService.namespace, dnsService.name)?.spec.clusterIP;
  return labels.length === 2 && labels[0] === "ns" && address ? found([{ type: "A", data: address }]) : noSuchName;
}

function inService(source: ZoneSource, service: Service, host: readonly string[]): ZoneAnswer {
  const { spec } = service;
  if (spec.type === "ExternalName") {
    return host.length === 0 ? found([{ type: "CNAME", data: spec.externalName ?? "" }]) : noSuchName;
  }
  const base = baseName(source, service);
  const [first, second] = host;
  const headless = spec.clusterIP === "None";
  if (first === undefined) {
    if (!headless) return found([{ type: "A", data: spec.clusterIP ?? "" }, ...allPorts(service, base)]);
    const addresses = hosts(source, service);
    return addresses.length === 0 ? noSuchName : found(addresses.map(({ address }) => ({ type: "A", data: address })));
  }
  if (host.length === 2 && second !== undefined && first.startsWith("_") && second.startsWith("_")) {
    return portRecords(source, service, { port: first.slice(1), protocol: second.slice(1), base });
  }
  if (host.length !== 1) return noSuchName;
  const named = hosts(source, service).filter((one) => one.hostname === first);
  return named.length === 0 ? noSuchName : found(named.map(({ address }) => ({ type: "A", data: address })));
}

interface Host {
  readonly hostname: string;
  readonly address: string;
  readonly ports: NonNullable<EndpointSlice["ports"]>;
}

/** The name of an endpoint below its Service: its own, or its address. */
const hostnameOf = ({ hostname }: Endpoint, address: string): string => hostname || address.replaceAll(".", "-");

/** Endpoints that may be given out, each with the name it has below its Service. */
function hosts(source: ZoneSource, { metadata, spec }: Service): readonly Host[] {
  const seen = new Map<string, Host>();
  for (const slice of source.slices(metadata.namespace, metadata.name)) {
    if (slice.addressType !== "IPv4") continue;
    for (const endpoint of slice.endpoints ?? []) {
      if (!spec.publishNotReadyAddresses && !isReady(endpoint)) continue;
      for (const address of endpoint.addresses) {
        const hostname = hostnameOf(endpoint, address);
        const ports = [...(seen.get(`${hostname} ${address}`)?.ports ?? []), ...(slice.ports ?? [])];
        seen.set(`${hostname} ${address}`, { hostname, address, ports });
      }
    }
  }
  return [...seen.values()];
}

const isReady = ({ conditions }: Endpoint): boolean => conditions?.ready !== false;

function allPorts({ spec }: Service, target: string): readonly RecordData[] {
  return (spec.ports ?? [])
    .filter(({ name }) => name)
    .map(({ port }): RecordData => ({ type: "SRV", data: { target, port, priority: 0, weight: 100 } }));
}

function portRecords(
  source: ZoneSource,
  service: Service,
  wanted: { readonly port: string; readonly protocol: string; readonly base: string },
): ZoneAnswer {
  const srv = (target: string, port: number): RecordData => ({
    type: "SRV",
    data: { target, port, priority: 0, weight: 100 },
  });
  const matches = (port: { readonly name?: string | undefined; readonly protocol?: string | undefined }) =>
    port.name?.toLowerCase() === wanted.port && (port.protocol ?? "TCP").toLowerCase() === wanted.protocol;
  if (service.spec.clusterIP !== "None") {
    const ports = (service.spec.ports ?? []).filter(matches);
    if (ports.length === 0) return noSuchName;
    const address: NamedRecord = { name: wanted.base, record: { type: "A", data: service.spec.clusterIP ?? "" } };
    return found(
      ports.map(({ port }) => srv(wanted.base, port)),
      [address],
    );
  }
  const records: RecordData[] = [];
  const additional: NamedRecord[] = [];
  for (const { hostname, address, ports } of hosts(source, service)) {
    const name = `${hostname}.${wanted.base}`;
    for (const port of ports) {
      if (!matches(port) || port.port === undefined) continue;
      records.push(srv(name, port.port));
      additional.push({ name, record: { type: "A", data: address } });
    }
  }
  return records.length === 0 ? noSuchName : found(records, additional);
}

/** `10-42-0-7.default.pod.cluster.local` is 10.42.0.7, whether or not such a pod exists. */
function podByAddress(source: ZoneSource, namespace: string, host: readonly string[]): ZoneAnswer {
  const [label] = host;
  if (label === undefined) return source.namespaceExists(namespace) ? found([]) : noSuchName;
  const isAddress =
    host.length === 1 && /^\d{1,3}(-\d{1,3}){3}$/.test(label) && label.split("-").every((part) => Number(part) < 256);
  return isAddress && source.namespaceExists(namespace)
    ? found([{ type: "A", data: label.replaceAll("-", ".") }])
    : noSuchName;
}

/** Addresses of Services, and of endpoints of headless ones. Others may have a name outside the cluster. */
function reverse(source: ZoneSource, question: { readonly name: string; readonly type: string }): ZoneAnswer {
  const address = question.name.slice(0, -".in-addr.arpa".length).split(".").reverse().join(".");
  const service = source.byAddress(address);
  const names = service === undefined ? endpointNames(source, address) : [baseName(source, service)];
  if (names.length === 0) return { kind: "notOurs" };
  return ofType(found(names.map((data) => ({ type: "PTR", data }))), question.type);
}

const baseName = ({ domain }: ZoneSource, { metadata }: Service): string =>
  `${metadata.name}.${metadata.namespace}.svc.${domain}`;

function endpointNames(source: ZoneSource, address: string): readonly string[] {
  const names = new Set<string>();
  for (const { metadata } of source.slicesByAddress(address)) {
    const owner = metadata.labels?.["kubernetes.io/service-name"];
    const service = owner === undefined ? undefined : source.service(metadata.namespace, owner);
    if (service?.spec.clusterIP !== "None") continue;
    for (const host of hosts(source, service)) {
      if (host.address === address) names.add(`${host.hostname}.${baseName(source, service)}`);
    }
  }
  return [...names];
}
