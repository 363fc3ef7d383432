import { type NodeSelectorTerm, nodeSelectorTermMatches, podFitsNodeLabels } from "@skiff/api";
import { definePlugin, fits, rejects, scaleToHundred, skip } from "../framework.ts";

const refusal = rejects("node(s) didn't match Pod's node affinity/selector");

/** `nodeSelector` and node affinity: what is required must match, what is preferred earns its weight. */
export const nodeAffinity = definePlugin({
  name: "NodeAffinity",
  weight: 2,
  retryOn: [
    { kind: "nodeAdded" },
    {
      kind: "nodeUpdated",
      helps: ({ pod, node, old }) => !podFitsNodeLabels(pod.spec, old) && podFitsNodeLabels(pod.spec, node),
    },
  ],
  concerns: ({ spec }) => spec.nodeSelector !== undefined || spec.affinity?.nodeAffinity !== undefined,
  preFilter: ({ spec }) => {
    const required = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
    const nodes = nodeNames(required?.nodeSelectorTerms ?? []);
    return nodes === undefined ? skip : { kind: "look", nodes };
  },
  filter: ({ pod, node }) => (podFitsNodeLabels(pod.spec, node.node) ? fits : refusal),
  score: ({ pod, node }) =>
    (pod.spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [])
      .filter(({ preference }) => nodeSelectorTermMatches(preference, node.node))
      .reduce((sum, { weight }) => sum + weight, 0),
  normalize: (scores) => scaleToHundred(scores, { fewerIsBetter: false }),
});

/** Pods of daemon sets name their node in every term: no other node needs to be looked at. */
function nodeNames(terms: readonly NodeSelectorTerm[]): ReadonlySet<string> | undefined {
  const names = new Set<string>();
  for (const { matchFields } of terms) {
    const named = matchFields?.filter(({ key, operator }) => key === "metadata.name" && operator === "In") ?? [];
    if (named.length === 0) return undefined;
    for (const { values } of named) for (const value of values ?? []) names.add(value);
  }
  return names.size === 0 ? undefined : names;
}
