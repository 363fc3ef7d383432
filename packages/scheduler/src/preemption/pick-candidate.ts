import { type Candidate, priorityOf, startOf } from "./select-victims.ts";

/** Added to priorities so that several pods always weigh more than one, negative priorities or not. */
const offset = 2 ** 31;

/** The earliest start among the most important victims. */
function earliestStart({ victims }: Candidate): string {
  const highest = Math.max(...victims.map(priorityOf));
  return victims
    .filter((pod) => priorityOf(pod) === highest)
    .map(startOf)
    .reduce((earliest, start) => (start < earliest ? start : earliest));
}

/**
 * Which node's pods have to go, by Kubernetes' order of criteria: fewest broken budgets, least priority of the most important
 * victim, least sum of priorities, fewest victims, and of those the victims that have run the shortest.
 */
const criteria: readonly ((a: Candidate, b: Candidate) => number)[] = [
  (a, b) => a.violations - b.violations,
  (a, b) => highestPriority(a) - highestPriority(b),
  (a, b) => sumOf(a) - sumOf(b),
  (a, b) => a.victims.length - b.victims.length,
  (a, b) => {
    const [first, second] = [earliestStart(a), earliestStart(b)];
    return first > second ? -1 : first < second ? 1 : 0;
  },
];

function highestPriority({ victims: [first] }: Candidate): number {
  return first === undefined ? 0 : priorityOf(first);
}

const sumOf = ({ victims }: Candidate): number => victims.reduce((sum, pod) => sum + priorityOf(pod) + offset, 0);

/** The best of the candidates; the first where several are equal. */
export function pickCandidate(candidates: readonly Candidate[]): Candidate | undefined {
  return candidates.reduce<Candidate | undefined>(
    (best, candidate) => (best === undefined || isBetter(candidate, best) ? candidate : best),
    undefined,
  );
}

function isBetter(a: Candidate, b: Candidate): boolean {
  for (const compare of criteria) {
    const order = compare(a, b);
    if (order !== 0) return order < 0;
  }
  return false;
}
