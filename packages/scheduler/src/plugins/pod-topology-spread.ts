import type { Pod, TopologySpreadConstraint } from "@skiff/api";
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
import type { NodeInfo } from "../node-info.ts";
import { selectorOf, withLabelsOf } from "../topology/pod-terms.ts";
import { type Spread, spreadsOf, supposedCount } from "../topology/spread-constraints.ts";
import { defaultSelector, selectorSources } from "./default-selector.ts";

const uneven = lacks("node(s) didn't match pod topology spread constraints");
const unlabelled = rejects("node(s) didn't match pod topology spread constraints (missing required label)");
const hostname = "kubernetes.io/hostname";

/** Arguments of the plugin, as in `PodTopologySpreadArgs`. */
export interface PodTopologySpreadOptions {
  /** Constraints of pods that have none; `System`: those of Kubernetes. */
  readonly defaults: "System" | readonly TopologySpreadConstraint[];
}

const systemDefaults: readonly TopologySpreadConstraint[] = [
  { topologyKey: hostname, whenUnsatisfiable: "ScheduleAnyway", maxSkew: 3 },
  { topologyKey: "topology.kubernetes.io/zone", whenUnsatisfiable: "ScheduleAnyway", maxSkew: 5 },
];

/** Spreads pods that are alike over zones, hosts or whatever nodes are labelled with. */
export const podTopologySpread = ({ defaults }: PodTopologySpreadOptions = { defaults: "System" }): Plugin =>
  definePlugin({
    name: "PodTopologySpread",
    weight: 2,
    watches: selectorSources,
    retryOn: [
      { kind: "nodeAdded" },
      { kind: "nodeUpdated", helps: () => true },
      { kind: "podPlaced", helps: ({ pod, placed }) => isSpreadWith(pod, placed) },
      { kind: "podGone", helps: ({ pod, gone }) => isSpreadWith(pod, gone) },
    ],
    preFilter: (pod, cluster) => lookOf(pod, cluster, defaults),
    preScore: (pod, feasible, cluster) => scoresOf(pod, feasible, cluster, defaults),
  });

const isSpreadWith = (pod: Pod, other: Pod): boolean =>
  pod.metadata.namespace === other.metadata.namespace &&
  (pod.spec.topologySpreadConstraints === undefined ||
    pod.spec.topologySpreadConstraints.some(({ labelSelector, matchLabelKeys }) =>
      selectorOf(withLabelsOf(pod, labelSelector, matchLabelKeys)).matches(other.metadata.labels),
    ));

interface Constraints {
  readonly list: readonly TopologySpreadConstraint[];
  /** Of the kind that Kubernetes gives all pods: nodes without a zone take part, too. */
  readonly bySystem: boolean;
}

function constraintsOf(
  pod: Pod,
  cluster: ClusterView,
  defaults: PodTopologySpreadOptions["defaults"],
  whenUnsatisfiable: "DoNotSchedule" | "ScheduleAnyway",
): Constraints {
  const own = pod.spec.topologySpreadConstraints ?? [];
  const wanted = (all: readonly TopologySpreadConstraint[]) =>
    all.filter((constraint) => constraint.whenUnsatisfiable === whenUnsatisfiable);
  if (own.length > 0) return { list: wanted(own), bySystem: false };
  const bySystem = defaults === "System";
  const general = wanted(bySystem ? systemDefaults : defaults);
  const labelSelector = general.length === 0 ? undefined : defaultSelector(pod, cluster);
  if (labelSelector === undefined) return { list: [], bySystem };
  return { list: general.map((constraint) => ({ ...constraint, labelSelector })), bySystem };
}

function lookOf(pod: Pod, cluster: ClusterView, defaults: PodTopologySpreadOptions["defaults"]): PreFilterResult {
  const { list } = constraintsOf(pod, cluster, defaults, "DoNotSchedule");
  if (list.length === 0) return skip;
  const { labels, namespace } = pod.metadata;
  const rules = spreadsOf(pod, list, cluster.topology).map((spread) => ({
    spread,
    self: spread.selector.matches(labels) ? 1 : 0,
  }));
  const filter = ({ node, supposing }: FilterRequest) => {
    for (const { spread, self } of rules) {
      if (node.node.metadata.labels?.[spread.topologyKey] === undefined) return unlabelled;
      const { counts, maxSkew, minDomains } = spread;
      const domain = counts.at(node);
      const supposed = domain === undefined ? 0 : supposedCount(spread, namespace, supposing);
      const here = (domain?.count ?? 0) + supposed;
      const least =
        counts.size < minDomains
          ? 0
          : domain === undefined || supposed === 0
            ? counts.minimum
            : counts.minimumSupposing(domain, here);
      if (here + self - least > maxSkew) return uneven;
    }
    return fits;
  };
  return { kind: "look", filter };
}

function scoresOf(
  pod: Pod,
  feasible: readonly NodeInfo[],
  cluster: ClusterView,
  defaults: PodTopologySpreadOptions["defaults"],
): NodeScores | undefined {
  const { list, bySystem } = constraintsOf(pod, cluster, defaults, "ScheduleAnyway");
  if (list.length === 0) return undefined;
  const spreads = spreadsOf(pod, list, cluster.topology, !bySystem);
  const labelsOf = ({ node }: NodeInfo) => node.metadata.labels ?? {};
  const ignored = new Set<NodeInfo>();
  if (!bySystem) {
    for (const node of feasible) {
      if (!spreads.every(({ topologyKey }) => topologyKey in labelsOf(node))) ignored.add(node);
    }
  }
  const weights = spreads.map((spread) => Math.log(domainsAmong(spread, feasible, ignored) + 2));
  const raw = (node: NodeInfo): number => {
    const labels = labelsOf(node);
    const sum = spreads.reduce((total, { topologyKey, counts, maxSkew }, index) => {
      if (!(topologyKey in labels)) return total;
      const count = topologyKey === hostname ? counts.on(node) : (counts.at(node)?.count ?? 0);
      return total + count * (weights[index] ?? 0) + (maxSkew - 1);
    }, 0);
    return Math.round(sum);
  };
  return {
    of: (node) => (ignored.has(node) ? -1 : raw(node)),
    normalize: fewerIsBetter,
  };
}

/** Over how many domains the pods could go; the more, the more a single pod in one of them weighs. */
function domainsAmong({ topologyKey }: Spread, feasible: readonly NodeInfo[], ignored: ReadonlySet<NodeInfo>): number {
  if (topologyKey === hostname) return feasible.length - ignored.size;
  const values = new Set<string>();
  // Nodes without the label, where they are not ignored, are a domain together.
  for (const node of feasible) if (!ignored.has(node)) values.add(node.node.metadata.labels?.[topologyKey] ?? "");
  return values.size;
}

/** Turns counts round: the fewest pods get the most points. Nodes outside the constraints (-1) get none. */
function fewerIsBetter(scores: number[]): void {
  const counted = scores.filter((score) => score >= 0);
  const highest = counted.reduce((most, score) => Math.max(most, score), 0);
  const lowest = counted.reduce((least, score) => Math.min(least, score), Number.POSITIVE_INFINITY);
  scores.forEach((score, index) => {
    if (score < 0) scores[index] = 0;
    else scores[index] = highest === 0 ? 100 : Math.trunc((100 * (highest + lowest - score)) / highest);
  });
}
