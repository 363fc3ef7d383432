import {
  type Node,
  type NodeAffinity,
  type NodeSelectorTerm,
  nodeSelectorMatches,
  nodeSelectorTermMatches,
  type Pod,
  type PreferredSchedulingTerm,
  podFitsNodeLabels,
} from "@skiff/api";
import { definePlugin, fits, type Plugin, type PreFilterResult, rejects, scaleToHundred, skip } from "../framework.ts";

const refusal = rejects("node(s) didn't match Pod's node affinity/selector");
const enforced = rejects("node(s) didn't match scheduler-enforced node affinity");
const conflict: PreFilterResult = { kind: "rejected", reason: "pod affinity terms conflict", resolvable: false };

/**
 * `nodeSelector` and node affinity: what is required must match, what is preferred earns its weight. `added` holds for all pods, as
 * well as their own.
 */
export function nodeAffinity(added: NodeAffinity = {}): Plugin {
  const { requiredDuringSchedulingIgnoredDuringExecution: addedRequired } = added;
  const addedPreferred = added.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  const isAllowed = (node: Node) => addedRequired === undefined || nodeSelectorMatches(addedRequired, node);
  const matches = (pod: Pod, node: Node) => isAllowed(node) && podFitsNodeLabels(pod.spec, node);
  const concernsAll = addedRequired !== undefined || addedPreferred.length > 0;
  return definePlugin({
    name: "NodeAffinity",
    weight: 2,
    retryOn: [
      { kind: "nodeAdded" },
      { kind: "nodeUpdated", helps: ({ pod, node, old }) => !matches(pod, old) && matches(pod, node) },
    ],
    concerns: ({ spec }) => concernsAll || spec.nodeSelector !== undefined || spec.affinity?.nodeAffinity !== undefined,
    preFilter: ({ spec }) => {
      const required = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
      const nodes = nodeNames(required?.nodeSelectorTerms ?? []);
      if (nodes === undefined) return skip;
      return nodes.size === 0 ? conflict : { kind: "look", nodes };
    },
    filter: ({ pod, node }) => {
      if (!isAllowed(node.node)) return enforced;
      return podFitsNodeLabels(pod.spec, node.node) ? fits : refusal;
    },
    score: ({ pod, node }) =>
      worth(addedPreferred, node.node) +
      worth(pod.spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [], node.node),
    normalize: (scores) => scaleToHundred(scores, { fewerIsBetter: false }),
  });
}

const worth = (terms: readonly PreferredSchedulingTerm[], node: Node): number =>
  terms.reduce((sum, { preference, weight }) => (nodeSelectorTermMatches(preference, node) ? sum + weight : sum), 0);

/**
 * Pods of daemon sets name their node in every term: no other node needs to be looked at. `undefined` where a term names none; nothing
 * where each contradicts itself.
 */
function nodeNames(terms: readonly NodeSelectorTerm[]): ReadonlySet<string> | undefined {
  if (terms.length === 0) return undefined;
  const names = new Set<string>();
  for (const { matchFields } of terms) {
    const named = matchFields?.filter(({ key, operator }) => key === "metadata.name" && operator === "In") ?? [];
    const [first, ...others] = named.map(({ values }) => values ?? []);
    if (first === undefined) return undefined;
    for (const name of first) if (others.every((values) => values.includes(name))) names.add(name);
  }
  return names;
}
