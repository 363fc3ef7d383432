import { jsonEqual } from "@skiff/base";
import { definePlugin, type FilterRequest, fits, lacks, type RetryHint, rejects } from "../framework.ts";

const retryOn: readonly RetryHint[] = [
  { kind: "nodeAdded" },
  {
    kind: "nodeUpdated",
    helps: ({ node, old }) => !jsonEqual(node.status?.allocatable ?? {}, old.status?.allocatable ?? {}),
  },
  { kind: "podGone", helps: () => true },
];

/** What pods request must be free on the node, and there must be room for one pod more. */
export const nodeResourcesFit = definePlugin({
  name: "NodeResourcesFit",
  retryOn,
  filter: (request) => {
    const { facts, node } = request;
    const reasons: string[] = [];
    let resolvable = true;
    if (node.podCount + 1 > (node.allocatable.get("pods") ?? 0)) reasons.push("Too many pods");
    for (const [name, wanted] of facts.requests) {
      if (wanted === 0) continue;
      const capacity = node.allocatable.get(name) ?? 0;
      if (wanted <= capacity - (node.requested.get(name) ?? 0)) continue;
      reasons.push(`Insufficient ${name}`);
      if (wanted > capacity) resolvable = false;
    }
    if (reasons.length === 0) return fits;
    return resolvable ? lacks(reasons.join("\n")) : rejects(reasons.join("\n"));
  },
  score: (request) => Math.floor((freeShare(request, "cpu") + freeShare(request, "memory")) * 50),
});

/** Prefers nodes whose CPU and memory would be used to a like degree. */
export const nodeResourcesBalancedAllocation = definePlugin({
  name: "NodeResourcesBalancedAllocation",
  retryOn,
  score: (request) => {
    const deviation = Math.abs(freeShare(request, "cpu") - freeShare(request, "memory")) / 2;
    return Math.floor((1 - deviation) * 100);
  },
});

/** The part of the node that is free once the pod is there, 0 to 1. */
function freeShare({ facts, node }: FilterRequest, resource: "cpu" | "memory"): number {
  const capacity = node.allocatable.get(resource) ?? 0;
  if (capacity === 0) return 0;
  return Math.max(0, 1 - (node.weight[resource] + facts.weight[resource]) / capacity);
}
