import { type Pod, podReady } from "@skiff/api";
import { jsonEqual } from "@skiff/base";

/** How long a job's count of ready pods may be behind: pods that come and go need not each be told of. */
export const readinessMayWaitMs = 1000;

/** Whether a change of a pod can make a difference to its job. */
export const isNews = (old: Pod, pod: Pod): boolean =>
  endsOrLeaves(old, pod) || podReady(old) !== podReady(pod) || restarts(old) !== restarts(pod);

/** Whether a pod has ended, is to end, or is somebody else's now. */
export const endsOrLeaves = (old: Pod, pod: Pod): boolean =>
  endedIn(old) !== endedIn(pod) ||
  old.metadata.deletionTimestamp !== pod.metadata.deletionTimestamp ||
  !jsonEqual(old.metadata.labels, pod.metadata.labels) ||
  !jsonEqual(old.metadata.ownerReferences, pod.metadata.ownerReferences);

const endedIn = ({ status }: Pod): string | undefined =>
  status?.phase === "Succeeded" || status?.phase === "Failed" ? status.phase : undefined;

/** Where pods restart their own containers, a job counts that. */
function restarts({ status }: Pod): number {
  let count = 0;
  for (const { restartCount } of status?.containerStatuses ?? []) count += restartCount;
  for (const { restartCount } of status?.initContainerStatuses ?? []) count += restartCount;
  return count;
}
