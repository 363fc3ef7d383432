/** What nodes are compared by whose pods could go. */
export interface Harm {
  /** How many of the victims a disruption budget protects. */
  readonly violations: number;
  /** Of the most important victim. */
  readonly highestPriority: number;
  /** Of all victims, each made positive first: several always weigh more than one. */
  readonly prioritySum: number;
  readonly victims: number;
  /** The earliest start among the most important victims. */
  readonly earliestStart: string;
}

const known = new Map<string, Harm>();
const limit = 10_000;

/** One object for all harm that is alike: most nodes of a cluster are, and are then not compared at all. */
export function harmOf(harm: Harm): Harm {
  const { violations, highestPriority, prioritySum, victims, earliestStart } = harm;
  const key = `${violations}|${highestPriority}|${prioritySum}|${victims}|${earliestStart}`;
  const same = known.get(key);
  if (same !== undefined) return same;
  if (known.size >= limit) known.clear();
  known.set(key, harm);
  return harm;
}

/**
 * Which node's pods have to go, by Kubernetes' order of criteria: fewest broken budgets, least priority of the most important
 * victim, least sum of priorities, fewest victims, and of those the victims that have run the shortest.
 */
export function isLess(a: Harm, b: Harm): boolean {
  if (a === b) return false;
  if (a.violations !== b.violations) return a.violations < b.violations;
  if (a.highestPriority !== b.highestPriority) return a.highestPriority < b.highestPriority;
  if (a.prioritySum !== b.prioritySum) return a.prioritySum < b.prioritySum;
  if (a.victims !== b.victims) return a.victims < b.victims;
  return a.earliestStart > b.earliestStart;
}
