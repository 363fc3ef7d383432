import type { Job, JobCondition, Pod } from "@skiff/api";
import { isPodActive } from "../pods.ts";

/** Holds an ended pod until its job has counted it. */
export const trackingFinalizer = "batch.kubernetes.io/job-tracking";
export const failureCountKey = "batch.kubernetes.io/job-index-failure-count";
export const ignoredCountKey = "batch.kubernetes.io/job-index-ignored-failure-count";

/** Failures in a row: the more, the longer the next pod has to wait. */
export interface Backoff {
  readonly failures: number;
  /** When the last pod failed; epoch milliseconds. */
  readonly lastMs: number;
}

export const noBackoff: Backoff = { failures: 0, lastMs: 0 };

export interface Observed {
  readonly job: Job;
  /** All that the job owns, ended ones too. */
  readonly pods: readonly Pod[];
  readonly backoff: Backoff;
  readonly nowMs: number;
}

export const isTracked = ({ metadata }: Pod): boolean => metadata.finalizers?.includes(trackingFinalizer) === true;
export const isEnding = (pod: Pod): boolean =>
  pod.metadata.deletionTimestamp !== undefined && pod.status?.phase !== "Succeeded" && pod.status?.phase !== "Failed";
export const activePods = (pods: readonly Pod[]): readonly Pod[] => pods.filter(isPodActive);

export const conditionOf = ({ status }: Job, type: string): JobCondition | undefined =>
  status?.conditions?.find((one) => one.type === type && one.status === "True");

/** A job that has come to its end is not worked on any more. */
export const isFinished = (job: Job): boolean =>
  conditionOf(job, "Complete") !== undefined || conditionOf(job, "Failed") !== undefined;

/** New pods come only when failed ones have ended for good. */
export const waitsForEnd = ({ spec }: Job): boolean => spec.podReplacementPolicy === "Failed";

export const isIndexed = ({ spec }: Job): boolean => spec.completionMode === "Indexed";

/** How a pod ended; `undefined` while it has not. Pods that somebody deletes count as failed, unless the job waits for their end. */
export function endOf(job: Job, pod: Pod): "succeeded" | "failed" | undefined {
  const phase = pod.status?.phase;
  if (phase === "Succeeded") return "succeeded";
  if (phase === "Failed") return "failed";
  return !waitsForEnd(job) && pod.metadata.deletionTimestamp !== undefined ? "failed" : undefined;
}

/** When a pod's last container ended, as far as its status tells. */
export function endedAtMs(pod: Pod, nowMs: number): number {
  const times = (pod.status?.containerStatuses ?? []).map(({ state }) =>
    Date.parse(state?.terminated?.finishedAt ?? ""),
  );
  const known = times.filter((time) => !Number.isNaN(time));
  if (known.length > 0) return Math.max(...known);
  const deletedMs = Date.parse(pod.metadata.deletionTimestamp ?? "");
  return Number.isNaN(deletedMs) ? nowMs : Math.min(deletedMs, nowMs);
}
