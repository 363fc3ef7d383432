import {
  type FieldError,
  fieldError,
  IPAddresses,
  refusals,
  type Service,
  type ServiceSpec,
  Services,
  type StatusError,
} from "@skiff/api";
import { type Clock, deepCopy, type Random } from "@skiff/base";
import type { Operation } from "@skiff/store";
import type { ResourceTable } from "../contracts.ts";
import { ipv4ToNumber, isIn, numberToIpv4 } from "./ipv4.ts";
import { NumberPool } from "./number-pool.ts";
import type { Reservation, ServiceAllocation } from "./service-allocation.ts";
import { addressKey, addressValue, type Claims, nodePortKey, nodePortValue } from "./service-claims.ts";
import {
  dropForType,
  hasClusterIp,
  isHeadless,
  keepAllocated,
  needsHealthCheckPort,
  needsNodePorts,
  nodePortsOf,
} from "./service-fields.ts";
import { band, ServiceRanges } from "./service-ranges.ts";

interface Taken {
  readonly pool: NumberPool;
  readonly number: number;
}

/** Undoes what it was told of, unless it is told to keep it. */
class Ledger {
  readonly #owner: string;
  readonly #taken: Taken[] = [];

  constructor(owner: string) {
    this.#owner = owner;
  }

  take(pool: NumberPool, number: number): boolean {
    const taken = pool.take(number, this.#owner);
    if (taken) this.#taken.push({ pool, number });
    return taken;
  }

  takeAny(pool: NumberPool, random: Random): number | undefined {
    const number = pool.takeAny(this.#owner, random);
    if (number !== undefined) this.#taken.push({ pool, number });
    return number;
  }

  /** What was taken from a pool. */
  from(pool: NumberPool): readonly number[] {
    return this.#taken.filter((taken) => taken.pool === pool).map(({ number }) => number);
  }

  /** Notes it all again in pools that were emptied. */
  note(): void {
    for (const { pool, number } of this.#taken) pool.note(number, this.#owner);
  }

  undo(): void {
    for (const { pool, number } of this.#taken.splice(0)) pool.free(number, this.#owner);
  }
}

const ownerOf = ({ metadata }: Service): string => `${metadata.namespace}/${metadata.name}`;

/**
 * Hands out addresses of IPv4 networks and node ports; knows what stored Services have. That is how free ones are found;
 * what makes them somebody's are the claims that go into the transaction with the Service.
 */
export class ServiceAllocator implements ServiceAllocation {
  readonly #table: ResourceTable;
  readonly #random: Random;
  readonly #networks: ServiceRanges;
  readonly #range: readonly [number, number];
  readonly #addresses: NumberPool;
  readonly #ports: NumberPool;
  readonly #clock: Clock;
  readonly #isShared: boolean;
  /** What writes under way have taken. */
  readonly #underWay = new Set<Ledger>();
  #loadedRevision = -1;

  constructor(options: {
    readonly table: ResourceTable;
    readonly random: Random;
    readonly serviceCidr: string;
    readonly nodePorts: readonly [number, number];
    readonly clock: Clock;
    /** Whether other servers hand out addresses and ports of the same ranges. */
    readonly isStoreShared?: boolean;
  }) {
    this.#clock = options.clock;
    this.#isShared = options.isStoreShared ?? false;
    this.#table = options.table;
    this.#random = options.random;
    this.#range = options.nodePorts;
    this.#networks = new ServiceRanges(options.table, options.serviceCidr);
    // An IPAddress may be there without a Service: somebody has made it by hand.
    const isTaken = (address: number) =>
      this.#table.find(IPAddresses)?.peek({ name: numberToIpv4(address) }) !== undefined;
    this.#addresses = new NumberPool({ ranges: () => this.#networks.all, isTaken });
    const [first, last] = options.nodePorts;
    const staticBand = band(last - first + 1, { least: 16, most: 128, share: 32 });
    const ports = [{ first, last, staticBand }];
    this.#ports = new NumberPool({ ranges: () => ports });
  }

  reserve(service: Service, old: Service | undefined, { dryRun }: { readonly dryRun: boolean }): Reservation {
    this.#load();
    // An update of the status brings the stored spec, which has what it needs and is not to be written into.
    if (service.spec === undefined || service.spec === old?.spec) return { commit() {}, rollback() {} };
    if (old?.spec !== undefined) {
      keepAllocated(service.spec, old.spec);
      dropForType(service, old);
    }
    const owner = ownerOf(service);
    const ledger = new Ledger(owner);
    const before = deepCopy(service.spec);
    try {
      const errors = [
        ...this.#reserveAddress(service.spec, ledger, old),
        ...this.#reservePorts(service.spec, ledger, old),
      ];
      if (errors.length > 0) throw invalid(service, errors);
    } catch (error) {
      ledger.undo();
      throw error;
    }
    if (dryRun) {
      ledger.undo();
      return { commit() {}, rollback() {} };
    }
    this.#underWay.add(ledger);
    return {
      claims: this.#claims(service, ledger, old),
      commit: () => {
        this.#underWay.delete(ledger);
        if (old !== undefined) this.#freeUnused(old, service);
      },
      rollback: () => {
        this.#underWay.delete(ledger);
        ledger.undo();
        service.spec = before;
      },
    };
  }

  unclaim(service: Service): readonly Operation[] {
    const addresses = addressesOf(service).map((address) => addressKey(numberToIpv4(address)));
    // DNS over UDP and TCP may share a port.
    const ports = [...new Set(portsOf(service))].map(nodePortKey);
    return [...addresses, ...ports].map((key) => ({ kind: "delete", key }));
  }

  #claims(service: Service, ledger: Ledger, old: Service | undefined): Claims {
    const puts = [
      ...ledger.from(this.#addresses).map((number) => {
        const address = numberToIpv4(number);
        const value = addressValue(address, service, { clock: this.#clock, random: this.#random });
        return { kind: "put", key: addressKey(address), value } as const;
      }),
      ...ledger.from(this.#ports).map((port) => {
        return { kind: "put", key: nodePortKey(port), value: nodePortValue(service) } as const;
      }),
    ];
    const kept = new Set(this.unclaim(service).map(({ key }) => key));
    const deletes = (old === undefined ? [] : this.unclaim(old)).filter(({ key }) => !kept.has(key));
    return { compare: puts.map(({ key }) => ({ key, modRevision: 0 })), operations: [...puts, ...deletes] };
  }

  release(service: Service): void {
    this.#load();
    this.#freeUnused(service, undefined);
  }

  /** Takes what stored Services have: once, or whenever another server may have changed that. */
  #load(): void {
    const services = this.#table.of(Services);
    const { lastRevision } = services;
    if (this.#loadedRevision !== -1 && (!this.#isShared || this.#loadedRevision === lastRevision)) return;
    this.#loadedRevision = lastRevision;
    this.#addresses.clear();
    this.#ports.clear();
    for (const service of services.peekAll()) {
      const owner = ownerOf(service);
      for (const address of addressesOf(service)) this.#addresses.note(address, owner);
      for (const port of portsOf(service)) this.#ports.note(port, owner);
    }
    for (const ledger of this.#underWay) ledger.note();
  }

  #freeUnused(old: Service, now: Service | undefined): void {
    const owner = ownerOf(old);
    const keptAddresses = new Set(now === undefined ? [] : addressesOf(now));
    const keptPorts = new Set(now === undefined ? [] : portsOf(now));
    for (const address of addressesOf(old)) if (!keptAddresses.has(address)) this.#addresses.free(address, owner);
    for (const port of portsOf(old)) if (!keptPorts.has(port)) this.#ports.free(port, owner);
  }

  #reserveAddress(spec: ServiceSpec, ledger: Ledger, old: Service | undefined): FieldError[] {
    if (!hasClusterIp(spec)) return [];
    const errors = defaultFamilies(spec);
    if (errors.length > 0) return errors;
    spec.clusterIP ||= spec.clusterIPs?.[0] ?? "";
    if (isHeadless(spec)) {
      spec.clusterIP = "None";
      spec.clusterIPs = ["None"];
      return [];
    }
    if (spec.clusterIP === "") {
      const address = ledger.takeAny(this.#addresses, this.#random);
      if (address === undefined) throw refusals.internal("failed to allocate a serviceIP: range is full");
      spec.clusterIP = numberToIpv4(address);
    } else {
      const why = this.#takeAddress(spec.clusterIP, ledger, old);
      if (why !== undefined) {
        const text = `failed to allocate IP ${spec.clusterIP}: ${why}`;
        return [fieldError.invalid("spec.clusterIPs", [spec.clusterIP], text)];
      }
    }
    spec.clusterIPs = [spec.clusterIP];
    return [];
  }

  /** Why an address cannot be had; `undefined` when it is taken (or was before). */
  #takeAddress(text: string, ledger: Ledger, old: Service | undefined): string | undefined {
    const address = ipv4ToNumber(text);
    if (address !== undefined && old !== undefined && addressesOf(old).includes(address)) return undefined;
    const network = this.#networks.all.find(({ cidr }) => address !== undefined && isIn(cidr, address));
    if (address === undefined || network === undefined) return "the provided network does not match the current range";
    // The network's own address and the one for all are in it, and nobody's.
    if (!this.#addresses.holds(address)) {
      return `the provided IP (${text}) is not in the valid range. The range of valid IPs is ${network.cidr}`;
    }
    return ledger.take(this.#addresses, address) ? undefined : "provided IP is already allocated";
  }

  #reservePorts(spec: ServiceSpec, ledger: Ledger, old: Service | undefined): FieldError[] {
    const errors: FieldError[] = [];
    const own = new Set(old === undefined ? [] : portsOf(old));
    const take = (port: number, field: string): void => {
      if (own.has(port)) return;
      const [low, high] = this.#range;
      if (!this.#ports.holds(port)) {
        const text = `provided port is not in the valid range. The range of valid ports is ${low}-${high}`;
        errors.push(fieldError.invalid(field, port, text));
      } else if (ledger.take(this.#ports, port)) own.add(port);
      else errors.push(fieldError.invalid(field, port, "provided port is already allocated"));
    };
    const any = (): number => {
      const port = ledger.takeAny(this.#ports, this.#random);
      if (port === undefined) throw refusals.internal("failed to allocate a nodePort: range is full");
      own.add(port);
      return port;
    };
    const ports = spec.ports ?? [];
    if (needsNodePorts(spec) || spec.type === "LoadBalancer") {
      ports.forEach((port, index) => {
        if (port.nodePort) take(port.nodePort, `spec.ports[${index}].nodePort`);
      });
    }
    if (needsNodePorts(spec)) for (const port of ports) port.nodePort ||= twin(ports, port) ?? any();
    if (needsHealthCheckPort(spec)) {
      if (spec.healthCheckNodePort) take(spec.healthCheckNodePort, "spec.healthCheckNodePort");
      else spec.healthCheckNodePort = any();
    }
    return errors;
  }
}

type Port = NonNullable<ServiceSpec["ports"]>[number];

/** The same port under another protocol (DNS over TCP and UDP) gets the same node port. */
const twin = (ports: readonly Port[], port: Port): number | undefined => {
  const others = ports.filter((other) => other !== port && other.nodePort && other.port === port.port);
  return others.find((other) => other.protocol !== port.protocol)?.nodePort;
};

export function addressesOf({ spec }: Service): number[] {
  const texts = spec?.clusterIPs ?? (spec?.clusterIP === undefined ? [] : [spec.clusterIP]);
  return hasClusterIp(spec) ? texts.map(ipv4ToNumber).filter((address) => address !== undefined) : [];
}

export const portsOf = ({ spec }: Service): number[] => [
  ...nodePortsOf(spec),
  ...(spec?.healthCheckNodePort ? [spec.healthCheckNodePort] : []),
];

const invalid = ({ metadata }: Service, errors: readonly FieldError[]): StatusError =>
  refusals.invalid({ group: "", kind: "Service", name: metadata.name }, errors);

/** `ipFamilies` and `ipFamilyPolicy` in a cluster that has IPv4 alone. */
function defaultFamilies(spec: ServiceSpec): FieldError[] {
  const selects = Object.keys(spec.selector ?? {}).length > 0;
  if (isHeadless(spec) && !selects) {
    // Without a selector endpoints are somebody else's: they may be of either family, whatever the cluster has.
    spec.ipFamilyPolicy ??= "RequireDualStack";
    if ((spec.ipFamilies ?? []).length === 0) {
      spec.ipFamilies = spec.ipFamilyPolicy === "SingleStack" ? ["IPv4"] : ["IPv4", "IPv6"];
    }
    return [];
  }
  if (spec.ipFamilyPolicy === "RequireDualStack") {
    const why = "this cluster is not configured for dual-stack services";
    return [fieldError.invalid("spec.ipFamilyPolicy", spec.ipFamilyPolicy, why)];
  }
  const other = (spec.ipFamilies ?? []).findIndex((family) => family !== "IPv4");
  if (other !== -1) {
    return [
      fieldError.invalid(`spec.ipFamilies[${other}]`, spec.ipFamilies?.[other], "not configured on this cluster"),
    ];
  }
  spec.ipFamilyPolicy ??= "SingleStack";
  spec.ipFamilies = ["IPv4"];
  return [];
}
