import {
  type LabelMatcher,
  type Pod,
  podFitsNodeLabels,
  type TopologySpreadConstraint,
  untoleratedTaint,
} from "@skiff/api";
import type { NodeInfo } from "../node-info.ts";
import type { DomainCounts } from "./domain-counts.ts";
import { selectorOf, withLabelsOf } from "./pod-terms.ts";
import type { TopologyIndex } from "./topology-index.ts";

/** A rule for spreading pods alike, with how they are spread. */
export interface Spread {
  readonly topologyKey: string;
  readonly maxSkew: number;
  readonly minDomains: number;
  /** The pods that are spread. */
  readonly selector: LabelMatcher;
  readonly counts: DomainCounts;
}

/** Which nodes count, for all constraints of a pod. */
interface Inclusion {
  readonly pod: Pod;
  /** Nodes have to have all of these labels. Empty: those that a constraint has no domain for only miss its points. */
  readonly topologyKeys: readonly string[];
}

/** The constraints of a pod with the counts that they are about. */
export function spreadsOf(
  pod: Pod,
  constraints: readonly TopologySpreadConstraint[],
  topology: TopologyIndex,
  requireAll = true,
): readonly Spread[] {
  const topologyKeys = requireAll ? constraints.map(({ topologyKey }) => topologyKey) : [];
  return constraints.map((constraint) => spreadOf(constraint, { pod, topologyKeys }, topology));
}

function spreadOf(
  constraint: TopologySpreadConstraint,
  { pod, topologyKeys }: Inclusion,
  topology: TopologyIndex,
): Spread {
  const {
    topologyKey,
    maxSkew,
    minDomains = 1,
    nodeAffinityPolicy = "Honor",
    nodeTaintsPolicy = "Ignore",
  } = constraint;
  const selector = selectorOf(withLabelsOf(pod, constraint.labelSelector, constraint.matchLabelKeys));
  const namespace = pod.metadata.namespace ?? "";
  const { nodeSelector, affinity, tolerations } = pod.spec;
  const required = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  const byLabels = nodeAffinityPolicy === "Honor" && (nodeSelector !== undefined || required !== undefined);
  const byTaints = nodeTaintsPolicy === "Honor";
  const key = JSON.stringify([
    "spread",
    namespace,
    selector.text,
    selector.requirements.length === 0 && selector.matches({}),
    topologyKey,
    topologyKeys,
    byLabels && [nodeSelector, required],
    byTaints && (tolerations ?? []),
  ]);
  const takesPart = ({ node }: NodeInfo): boolean =>
    topologyKeys.every((name) => node.metadata.labels?.[name] !== undefined) &&
    (!byLabels || podFitsNodeLabels(pod.spec, node)) &&
    (!byTaints || untoleratedTaint(node.spec.taints, tolerations, ["NoSchedule", "NoExecute"]) === undefined);
  const counts = topology.counts({
    key,
    topologyKey,
    scope: { namespaces: new Set([namespace]), selector },
    counts: isStaying,
    takesPart,
  });
  return { topologyKey, maxSkew, minDomains, selector, counts };
}

/** Pods on their way out are not spread any more. */
const isStaying = (pod: Pod): boolean => pod.metadata.deletionTimestamp === undefined;

/** By how much what is supposed of a node changes its domain's count. */
export function supposedCount(
  { selector }: Spread,
  namespace: string | undefined,
  supposing: { readonly added: readonly Pod[]; readonly gone: readonly Pod[] } | undefined,
): number {
  if (supposing === undefined) return 0;
  const counts = (pod: Pod) =>
    pod.metadata.namespace === namespace && isStaying(pod) && selector.matches(pod.metadata.labels);
  return supposing.added.filter(counts).length - supposing.gone.filter(counts).length;
}
