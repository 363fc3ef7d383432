import type { Pod, PodDisruptionBudget } from "@skiff/api";
import { type Inquiry, rejectionOn } from "../filter-nodes.ts";
import type { NodeInfo } from "../node-info.ts";
import { splitByBudgets } from "./disruption-budgets.ts";
import { type Harm, harmOf } from "./harm.ts";

/** Pods of one node whose end would let another in. */
export interface Candidate {
  readonly kind: "candidate";
  readonly node: NodeInfo;
  /** Most important first. */
  readonly victims: readonly Pod[];
  /** How many of them a disruption budget protects. */
  readonly violations: number;
  readonly harm: Harm;
}

/** A node where no pod's end would help, and why. */
export interface NotHelped {
  readonly kind: "not-helped";
  readonly reason: string;
}

const noVictims: NotHelped = { kind: "not-helped", reason: "No preemption victims found for incoming pod" };

/** A pod's priority, 0 where it has none. */
export const priorityOf = (pod: Pod): number => pod.spec.priority ?? 0;

/** When the pod started; one that has not is as young as can be. */
export const startOf = (pod: Pod): string => pod.status?.startTime ?? "9999";

/** The more important of two pods first: by priority, then by age. */
export const byImportance = (a: Pod, b: Pod): number =>
  priorityOf(b) - priorityOf(a) || (startOf(a) < startOf(b) ? -1 : startOf(a) > startOf(b) ? 1 : 0);

/**
 * The fewest pods of lower priority that have to go: first all of them are thought away; where that helps, as many as possible are
 * spared again, those first that budgets protect, the more important before the less.
 */
export function selectVictims(
  inquiry: Inquiry,
  node: NodeInfo,
  nominated: readonly Pod[],
  budgets: readonly PodDisruptionBudget[],
): Candidate | NotHelped {
  const { pod, facts } = inquiry;
  const priority = priorityOf(pod);
  const lower = [...node.pods].filter((other) => priorityOf(other) < priority).sort(byImportance);
  if (lower.length === 0) return noVictims;
  // One copy of the node on which pods come and go: tried with those that were promised room, then without.
  const trial = node.copy();
  const gone = new Set(lower);
  for (const { metadata } of lower) trial.remove(metadata.uid);
  const refusal = () => {
    const supposing = { added: nominated, gone: [...gone] };
    for (const one of nominated) trial.put(one);
    const refused = nominated.length === 0 ? undefined : rejectionOn(inquiry, { pod, facts, node: trial, supposing });
    for (const { metadata } of nominated) trial.remove(metadata.uid);
    if (refused !== undefined) return refused;
    return rejectionOn(inquiry, { pod, facts, node: trial, supposing: { added: [], gone: supposing.gone } });
  };
  const refused = refusal();
  if (refused !== undefined) return { kind: "not-helped", reason: refused.reason };
  const { violating, allowed } = splitByBudgets(lower, budgets);
  const spare = (one: Pod): boolean => {
    gone.delete(one);
    trial.put(one);
    if (refusal() === undefined) return true;
    gone.add(one);
    trial.remove(one.metadata.uid);
    return false;
  };
  const violations = violating.filter((one) => !spare(one)).length;
  for (const one of allowed) spare(one);
  return candidateOf(node, [...gone].sort(byImportance), violations);
}

/** Added to priorities, which may be negative. */
const offset = 2 ** 31;

/** A node as a candidate, with the pods that have to go, most important first. */
export function candidateOf(node: NodeInfo, victims: readonly Pod[], violations: number): Candidate {
  const [first] = victims;
  const harm = harmOf({
    violations,
    highestPriority: first === undefined ? 0 : priorityOf(first),
    prioritySum: victims.reduce((sum, pod) => sum + priorityOf(pod) + offset, 0),
    victims: victims.length,
    // Victims come most important first, and of equal priority the oldest first.
    earliestStart: first === undefined ? "" : startOf(first),
  });
  return { kind: "candidate", node, victims, violations, harm };
}
