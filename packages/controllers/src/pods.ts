import { isPodTerminal, type Pod, podCondition, podReady } from "@skiff/api";

/** Counts as a replica: has not ended and is not about to. */
export const isPodActive = (pod: Pod): boolean => !isPodTerminal(pod) && pod.metadata.deletionTimestamp === undefined;

/** Milliseconds until a ready pod counts as available: 0 when it does now, `undefined` when it is not ready. */
export function availableInMs(pod: Pod, minReadySeconds: number, nowMs: number): number | undefined {
  if (!podReady(pod)) return undefined;
  if (minReadySeconds === 0) return 0;
  const since = Date.parse(podCondition(pod, "Ready")?.lastTransitionTime ?? "");
  if (Number.isNaN(since)) return undefined;
  return Math.max(0, since + minReadySeconds * 1000 - nowMs);
}
