import { asMillis, asUnits, type Pod, podRequests } from "@skiff/api";

/** Amounts by resource: milli-cores for `cpu`, whole units (bytes, counts) for everything else. */
export type Amounts = ReadonlyMap<string, number>;

/** A port that a pod takes of its node. */
export interface HostPort {
  readonly protocol: string;
  /** `0.0.0.0` for all addresses. */
  readonly ip: string;
  readonly port: number;
}

/** What scheduling needs of a pod, read from its spec once. */
export interface PodFacts {
  readonly requests: Amounts;
  readonly hostPorts: readonly HostPort[];
}

const known = new WeakMap<Pod, PodFacts>();

/** The facts of a pod; kept for as long as that very object lives. */
export function podFacts(pod: Pod): PodFacts {
  const facts = known.get(pod) ?? { requests: amounts(podRequests(pod)), hostPorts: hostPortsOf(pod) };
  known.set(pod, facts);
  return facts;
}

/** Quantities as numbers that can be added and compared. */
export function amounts(quantities: Readonly<Record<string, string>> | undefined): Amounts {
  const result = new Map<string, number>();
  for (const [name, quantity] of Object.entries(quantities ?? {})) {
    result.set(name, name === "cpu" ? asMillis(quantity) : asUnits(quantity));
  }
  return result;
}

function hostPortsOf({ spec }: Pod): readonly HostPort[] {
  return [...(spec.initContainers ?? []).filter((one) => one.restartPolicy === "Always"), ...spec.containers].flatMap(
    ({ ports }) =>
      (ports ?? [])
        .filter(({ hostPort }) => hostPort !== undefined && hostPort > 0)
        .map(({ hostPort = 0, hostIP, protocol }) => ({
          port: hostPort,
          ip: hostIP || "0.0.0.0",
          protocol: protocol ?? "TCP",
        })),
  );
}

/** True when two pods cannot both have their port on one node: same port and protocol, and addresses that overlap. */
export const hostPortsClash = (a: HostPort, b: HostPort): boolean =>
  a.port === b.port && a.protocol === b.protocol && (a.ip === b.ip || a.ip === "0.0.0.0" || b.ip === "0.0.0.0");
