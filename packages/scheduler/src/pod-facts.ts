import { asMillis, assumedPodRequests, asUnits, type Container, type Pod, podRequests } from "@skiff/api";
import { heldSpec } from "./held-spec.ts";

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
  readonly priority: number;
  readonly requests: Amounts;
  /** What the pod counts for when nodes are compared. */
  readonly weight: Weight;
  readonly hostPorts: readonly HostPort[];
}

/** Milli-cores and bytes. */
export interface Weight {
  readonly cpu: number;
  readonly memory: number;
}

/** Containers without requests still weigh something when nodes are compared, or their pods would all go to one node. */
const assumedRequests = { cpu: "100m", memory: "200Mi" };

/** By spec: versions of a pod of which only the status differs mostly share it. */
const known = new WeakMap<Pod["spec"], PodFacts>();
const shapes = new Map<string, PodFacts>();
/** Facts of so many different shapes are kept; the oldest go first. */
const shapeLimit = 4_096;

/**
 * The facts of a pod. Pods of one shape (alike in everything that a node is asked for the pod's sake) share the same facts:
 * what was found out for one of them holds for all.
 */
export function podFacts(pod: Pod): PodFacts {
  const spec = heldSpec(pod);
  const remembered = known.get(spec);
  if (remembered !== undefined) return remembered;
  const shape = shapeOf(spec);
  let facts = shapes.get(shape);
  if (facts === undefined) {
    facts = factsOf(spec);
    shapes.set(shape, facts);
    const [oldest] = shapes.size > shapeLimit ? shapes.keys() : [];
    if (oldest !== undefined) shapes.delete(oldest);
  }
  known.set(spec, facts);
  return facts;
}

function shapeOf(spec: Pod["spec"]): string {
  const parts = ({ resources, ports, restartPolicy }: Container) => [resources, ports, restartPolicy];
  return JSON.stringify([
    spec.priority ?? 0,
    spec.containers.map(parts),
    spec.initContainers?.map(parts),
    spec.overhead,
    spec.resources,
    spec.nodeSelector,
    spec.affinity?.nodeAffinity,
    spec.tolerations,
  ]);
}

function factsOf(spec: Pod["spec"]): PodFacts {
  const requests = amounts(podRequests({ spec }));
  const assumed = assumedPodRequests({ spec }, assumedRequests);
  const weight = { cpu: asMillis(assumed.cpu), memory: asUnits(assumed.memory) };
  return { priority: spec.priority ?? 0, requests, weight, hostPorts: hostPortsOf(spec) };
}

/** Quantities as numbers that can be added and compared. */
export function amounts(quantities: Readonly<Record<string, string>> | undefined): Amounts {
  const result = new Map<string, number>();
  for (const [name, quantity] of Object.entries(quantities ?? {})) {
    result.set(name, name === "cpu" ? asMillis(quantity) : asUnits(quantity));
  }
  return result;
}

function hostPortsOf(spec: Pod["spec"]): readonly HostPort[] {
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
