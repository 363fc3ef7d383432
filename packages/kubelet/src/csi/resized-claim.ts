import type { PersistentVolumeClaim, PersistentVolumeClaimCondition } from "@skiff/api";

/** The status of a claim that has one. */
export type ClaimStatus = NonNullable<PersistentVolumeClaim["status"]>;

const isAboutSize = ({ type }: PersistentVolumeClaimCondition): boolean =>
  type === "FileSystemResizePending" || type === "Resizing" || type === "NodeResizeError";

/** The node has done its part: the claim has the size that was allocated to it. */
export function grownStatus(status: ClaimStatus, size: string): ClaimStatus {
  const { allocatedResourceStatuses = {}, conditions = [], ...rest } = status;
  const { storage: _done, ...statuses } = allocatedResourceStatuses;
  const others = conditions.filter((one) => !isAboutSize(one));
  return {
    ...rest,
    capacity: { ...status.capacity, storage: size },
    ...(Object.keys(statuses).length === 0 ? {} : { allocatedResourceStatuses: statuses }),
    ...(others.length === 0 ? {} : { conditions: others }),
  };
}

/** The node could not do its part; `infeasible`: nor will it ever. What was said before of the same kind is replaced. */
export function failedStatus(
  status: ClaimStatus,
  { why, infeasible, now }: { readonly why: string; readonly infeasible: boolean; readonly now: string },
): ClaimStatus {
  const message = `failed to expand pvc with ${why}`;
  const before = status.conditions?.find(({ type }) => type === "NodeResizeError");
  const lastTransitionTime = before?.message === message ? (before.lastTransitionTime ?? now) : now;
  const error = { type: "NodeResizeError", status: "True", lastTransitionTime, message };
  const others = (status.conditions ?? []).filter(({ type }) => type !== "NodeResizeError");
  const statuses = infeasible
    ? { allocatedResourceStatuses: { ...status.allocatedResourceStatuses, storage: "NodeResizeInfeasible" } }
    : {};
  return { ...status, ...statuses, conditions: [...others, error] };
}
