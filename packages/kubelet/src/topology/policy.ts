import { type Better, closest, listsOf, mergeHints, narrowest } from "./merge-hints.ts";
import { type NumaHint, type NumaHints, type NumaSet, numaCount, numaSet } from "./numa.ts";

/** How hard the node tries to keep what a container gets together. */
export type TopologyPolicy = "none" | "best-effort" | "restricted" | "single-numa-node";

export const topologyPolicies: readonly TopologyPolicy[] = ["none", "best-effort", "restricted", "single-numa-node"];

/** The machine's NUMA nodes. */
export interface NumaNodes {
  readonly nodes: readonly number[];
  /** From each to each, in the order of `nodes`. */
  readonly distances: readonly (readonly number[])[];
}

/** Whether a container is taken, and where what it gets is to come from; absent: anywhere. */
export interface TopologyVerdict {
  readonly admitted: boolean;
  readonly affinity?: NumaSet;
}

/** What people read of a container that is not taken. */
export const topologyRefusal = {
  reason: "TopologyAffinityError",
  message: "Resources cannot be allocated with Topology locality",
} as const;

/** Decides where everything that a container (or a pod) gets comes from. */
export function judgeTopology(
  policy: TopologyPolicy,
  hints: readonly NumaHints[],
  numa: NumaNodes,
  options: { readonly preferClosest: boolean } = { preferClosest: false },
): TopologyVerdict {
  if (policy === "none") return { admitted: true };
  const lists = listsOf(hints);
  const single = policy === "single-numa-node";
  const better: Better = options.preferClosest && !single ? closest(numa.distances) : narrowest;
  const best = mergeHints(numa.nodes, single ? lists.map(onOneNode) : lists, better);
  const admitted = policy === "best-effort" || best.preferred;
  return single && best.nodes === numaSet(numa.nodes) ? { admitted } : { admitted, affinity: best.nodes };
}

const onOneNode = (list: readonly NumaHint[]): readonly NumaHint[] =>
  list.filter(({ nodes, preferred }) => preferred && (nodes === undefined || numaCount(nodes) === 1));
