import type { Verdicts } from "./decision.ts";

/**
 * The text of a FailedScheduling event and of the pod's condition, in the form that people and tools know:
 * `0/3 nodes are available: 1 Insufficient cpu, 2 node(s) had untolerated taint(s). no new claims to deallocate,
 * preemption: 0/3 nodes are available: …`.
 */
export function unschedulableMessage(
  nodeCount: number,
  verdicts: Pick<Verdicts, "tally" | "wholeReason">,
  preemption: string | undefined,
  deallocation = "no new claims to deallocate",
): string {
  if (nodeCount === 0) return "no nodes available to schedule pods";
  const reasons = new Map<string, number>();
  for (const [{ reason }, count] of verdicts.tally)
    for (const line of reason.split("\n")) reasons.set(line, (reasons.get(line) ?? 0) + count);
  const helpless = `0/${nodeCount} nodes are available: ${verdicts.wholeReason ?? histogram(reasons)}.`;
  return preemption === undefined ? helpless : `${helpless} ${deallocation}, preemption: ${preemption}`;
}

/** `0/5 nodes are available: 2 No preemption victims found for incoming pod, 3 Preemption is not helpful for scheduling.` */
export const fruitlessPreemption = (nodeCount: number, reasons: ReadonlyMap<string, number>): string =>
  `0/${nodeCount} nodes are available: ${histogram(reasons)}.`;

/** `1 node(s) were unschedulable, 2 Insufficient cpu`: counted, in order of the whole text as Kubernetes sorts it. */
function histogram(reasons: ReadonlyMap<string, number>): string {
  return [...reasons]
    .map(([reason, count]) => `${count} ${reason}`)
    .sort()
    .join(", ");
}
