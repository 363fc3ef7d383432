/** Sizes of a cluster overlap, so that one that is just at a bound does not go to and fro. */
const steps = [
  { least: 0, most: 100, seconds: 0 },
  { least: 90, most: 500, seconds: 15 },
  { least: 450, most: 1000, seconds: 30 },
  { least: 900, most: 2000, seconds: 60 },
  { least: 1800, most: Number.POSITIVE_INFINITY, seconds: 300 },
] as const;

/** The step of a cluster of so many nodes that was at another before. */
export function nextStep(before: number, nodes: number): number {
  let step = before;
  while (nodes > (steps[step]?.most ?? Number.POSITIVE_INFINITY)) step++;
  while (nodes < (steps[step]?.least ?? 0)) step--;
  return step;
}

/** For how many seconds kubelets may keep what they have read. */
export const secondsOf = (step: number): number => steps[step]?.seconds ?? 0;
