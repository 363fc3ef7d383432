import type { Candidate } from "./select-victims.ts";

/**
 * Which node's pods have to go, by Kubernetes' order of criteria: fewest broken budgets, least priority of the most important
 * victim, least sum of priorities, fewest victims, and of those the victims that have run the shortest.
 */
function isBetter(a: Candidate, b: Candidate): boolean {
  if (a.violations !== b.violations) return a.violations < b.violations;
  if (a.highestPriority !== b.highestPriority) return a.highestPriority < b.highestPriority;
  if (a.prioritySum !== b.prioritySum) return a.prioritySum < b.prioritySum;
  if (a.victims.length !== b.victims.length) return a.victims.length < b.victims.length;
  return a.earliestStart > b.earliestStart;
}

/** The best of the candidates; the first where several are equal. */
export const pickCandidate = (candidates: readonly Candidate[]): Candidate | undefined =>
  candidates.reduce<Candidate | undefined>(
    (best, candidate) => (best === undefined || isBetter(candidate, best) ? candidate : best),
    undefined,
  );
