import { Namespaces, nothing, type Pod } from "@skiff/api";
import {
  type ClusterView,
  definePlugin,
  type FilterRequest,
  fits,
  lacks,
  type NodeScores,
  type Plugin,
  type PreFilterResult,
  rejects,
  skip,
} from "../framework.ts";
import type { DomainCounts } from "../topology/domain-counts.ts";
import { type NamespaceLabels, type PodTerm, podTerms, termMatches } from "../topology/pod-terms.ts";
import type { OwnedTerm } from "../topology/topology-index.ts";

const noAffinity = rejects("node(s) didn't match pod affinity rules");
const antiAffinity = lacks("node(s) didn't match pod anti-affinity rules");
const unwelcome = lacks("node(s) didn't satisfy existing pods anti-affinity rules");

/** Arguments of the plugin, as in `InterPodAffinityArgs`. */
export interface InterPodAffinityOptions {
  /** What a required term of a placed pod adds for pods that it wants beside it. */
  readonly hardPodAffinityWeight: number;
  /** What placed pods want does not count for pods that prefer nothing themselves. */
  readonly ignorePreferredTermsOfExistingPods: boolean;
}

const usualOptions: InterPodAffinityOptions = { hardPodAffinityWeight: 1, ignorePreferredTermsOfExistingPods: false };

/** Keeps pods together or apart by the labels of those already there; wishes of placed pods count as much as the new pod's. */
export const interPodAffinity = (options: InterPodAffinityOptions = usualOptions): Plugin =>
  definePlugin({
    name: "InterPodAffinity",
    weight: 2,
    watches: [Namespaces],
    retryOn: [
      { kind: "nodeAdded" },
      { kind: "nodeUpdated", helps: ({ node, old }) => node.metadata.labels !== old.metadata.labels },
      {
        kind: "podPlaced",
        helps: ({ pod, placed }) =>
          podTerms(pod).requiredAffinity.some((term) => termMatches(term, placed, () => ({}))),
      },
      {
        kind: "podGone",
        helps: ({ pod, gone }) =>
          podTerms(pod).requiredAntiAffinity.some((term) => mayMatch(term, gone)) ||
          podTerms(gone).requiredAntiAffinity.some((term) => mayMatch(term, pod)),
      },
    ],
    preFilter: (pod, cluster) => lookOf(pod, cluster),
    preScore: (pod, _, cluster) => scoresOf(pod, cluster, options),
  });

/** Whatever labels the namespace has. */
const mayMatch = (term: PodTerm, pod: Pod): boolean =>
  term.selector.matches(pod.metadata.labels) &&
  (term.namespaceSelector !== nothing || term.namespaces.has(pod.metadata.namespace ?? ""));

const labelsIn =
  (cluster: ClusterView): NamespaceLabels =>
  (name) =>
    cluster.informer(Namespaces).get(name)?.metadata.labels;

function lookOf(pod: Pod, cluster: ClusterView): PreFilterResult {
  const labels = labelsIn(cluster);
  const { requiredAffinity, requiredAntiAffinity } = podTerms(pod);
  const hostile = [...ownedTerms("requiredAntiAffinity", pod, cluster, labels)].map(({ term, owners }) => ({
    owners,
    owns: (other: Pod) => podTerms(other).requiredAntiAffinity.filter(({ key }) => key === term.key).length,
  }));
  if (requiredAffinity.length === 0 && requiredAntiAffinity.length === 0 && hostile.length === 0) return skip;
  const wantsAll = (other: Pod) => requiredAffinity.every((term) => termMatches(term, other, labels));
  const wanted = requiredAffinity.map((term) => ({ term, counts: matching(requiredAffinity, term, cluster) }));
  const unwanted = requiredAntiAffinity.map((term) => ({
    counts: matching([term], term, cluster),
    means: (other: Pod) => termMatches(term, other, labels),
  }));
  // The first pod of a group that wants to be together has nobody to be with: it may begin anywhere.
  const begins = wanted.every(({ counts }) => counts.total === 0) && wantsAll(pod);

  const filter = (request: FilterRequest) => {
    const { node } = request;
    const nodeLabels = node.node.metadata.labels ?? {};
    let together = true;
    for (const { term, counts } of wanted) {
      const here = counts.at(node);
      if (here === undefined && !(term.topologyKey in nodeLabels)) return noAffinity;
      together &&= (here?.count ?? 0) + supposed(request, wantsAll) > 0;
    }
    if (!together && !begins) return noAffinity;
    for (const { counts, means } of unwanted) {
      const here = counts.at(node);
      if (here !== undefined && here.count + supposed(request, means) > 0) return antiAffinity;
    }
    for (const { owners, owns } of hostile)
      if ((owners.at(node)?.count ?? 0) + supposed(request, owns) > 0) return unwelcome;
    // Pods that are only supposed to be here may mind as well.
    for (const other of request.supposing?.added ?? []) {
      if (
        podTerms(other).requiredAntiAffinity.some(
          (term) => term.topologyKey in nodeLabels && termMatches(term, pod, labels),
        )
      )
        return unwelcome;
    }
    return fits;
  };
  return { kind: "look", filter };
}

/** By how much what is supposed changes a count. */
function supposed({ supposing }: FilterRequest, counts: (pod: Pod) => boolean | number): number {
  if (supposing === undefined) return 0;
  const sum = (pods: readonly Pod[]) => pods.reduce((total, pod) => total + Number(counts(pod)), 0);
  return sum(supposing.added) - sum(supposing.gone);
}

/** How many placed pods all of the terms mean, by the topology of one of them. */
function matching(terms: readonly PodTerm[], { topologyKey }: PodTerm, cluster: ClusterView): DomainCounts {
  const [first] = terms;
  const resolved = terms.map((term) => namespacesOf(term, cluster));
  const key = terms.map((term, index) => `${term.selector.text}@${[...(resolved[index] ?? ["*"])].sort()}`).join("&");
  const inTerm = (term: PodTerm, index: number, { metadata }: Pod) =>
    term.selector.matches(metadata.labels) && (resolved[index]?.has(metadata.namespace ?? "") ?? true);
  return cluster.topology.counts({
    key: `affinity|${topologyKey}|${key}`,
    topologyKey,
    scope: { namespaces: resolved[0], selector: first?.selector ?? nothing },
    counts: (pod) => terms.every((term, index) => inTerm(term, index, pod)),
  });
}

/** The namespaces that a term means; `undefined`: all. */
function namespacesOf(
  { namespaces, namespaceSelector }: PodTerm,
  cluster: ClusterView,
): ReadonlySet<string> | undefined {
  if (namespaceSelector === nothing) return namespaces;
  if (namespaceSelector.requirements.length === 0) return undefined;
  const selected = cluster.informer(Namespaces).list();
  return new Set([
    ...namespaces,
    ...selected
      .filter(({ metadata }) => namespaceSelector.matches(metadata.labels))
      .map(({ metadata }) => metadata.name),
  ]);
}

function* ownedTerms(
  kind: "requiredAffinity" | "requiredAntiAffinity" | "preferred",
  pod: Pod,
  cluster: ClusterView,
  labels: NamespaceLabels,
): Iterable<OwnedTerm> {
  for (const owned of cluster.topology.terms(kind, pod)) if (termMatches(owned.term, pod, labels)) yield owned;
}

function scoresOf(pod: Pod, cluster: ClusterView, options: InterPodAffinityOptions): NodeScores | undefined {
  const labels = labelsIn(cluster);
  const own = podTerms(pod);
  if (options.ignorePreferredTermsOfExistingPods && own.preferred.length === 0) return undefined;
  const parts = own.preferred.map((term) => ({ counts: matching([term], term, cluster), weight: term.weight }));
  for (const { term, owners } of ownedTerms("preferred", pod, cluster, labels))
    parts.push({ counts: owners, weight: term.weight });
  if (options.hardPodAffinityWeight > 0) {
    for (const { owners } of ownedTerms("requiredAffinity", pod, cluster, labels))
      parts.push({ counts: owners, weight: options.hardPodAffinityWeight });
  }
  const counting = parts.filter(({ counts }) => counts.total !== 0);
  if (counting.length === 0) return undefined;
  return {
    of: (node) => counting.reduce((sum, { counts, weight }) => sum + weight * (counts.at(node)?.count ?? 0), 0),
    normalize(scores) {
      const highest = scores.reduce((most, score) => Math.max(most, score), Number.NEGATIVE_INFINITY);
      const lowest = scores.reduce((least, score) => Math.min(least, score), Number.POSITIVE_INFINITY);
      const range = highest - lowest;
      scores.forEach((score, index) => {
        scores[index] = range > 0 ? Math.trunc(100 * ((score - lowest) / range)) : 0;
      });
    },
  };
}
