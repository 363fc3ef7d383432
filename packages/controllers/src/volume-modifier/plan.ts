import type { PersistentVolumeClaim, PersistentVolumeClaimCondition } from "@skiff/api";

type ClaimStatus = NonNullable<PersistentVolumeClaim["status"]>;

/** A driver that refused is asked again after this time: it may have been changed. */
const slowMs = 300_000;

/** How long to wait before the driver is asked once more for what it has refused. */
export function restMs({ spec, status }: PersistentVolumeClaim, nowMs: number): number {
  const under = status?.modifyVolumeStatus;
  if (under?.status !== "Infeasible") return 0;
  if (under.targetVolumeAttributesClassName !== spec.volumeAttributesClassName) return 0;
  const said = status?.conditions?.find(({ type }) => type === "ModifyVolumeError")?.lastProbeTime;
  return said === undefined ? 0 : Math.max(0, Date.parse(said) + slowMs - nowMs);
}

/** What is to be done about a claim's VolumeAttributesClass. */
export type Modification =
  | { readonly kind: "nothing" }
  /** The user took back a change before it was done. */
  | { readonly kind: "rolled back" }
  | { readonly kind: "modify"; readonly target: string };

export function planModification({ spec, status }: PersistentVolumeClaim): Modification {
  if (status?.phase !== "Bound") return { kind: "nothing" };
  const wanted = spec.volumeAttributesClassName ?? "";
  const current = status.currentVolumeAttributesClassName ?? "";
  const { modifyVolumeStatus: under } = status;
  if (under === undefined && wanted === current) return { kind: "nothing" };
  if (wanted !== "") return { kind: "modify", target: wanted };
  // What the driver may be at is brought to its end first.
  if (under?.status === "InProgress") return { kind: "modify", target: under.targetVolumeAttributesClassName ?? "" };
  return status.conditions?.some(isModifying) === true ? { kind: "rolled back" } : { kind: "nothing" };
}

const isModifying = ({ type }: PersistentVolumeClaimCondition): boolean => type === "ModifyingVolume";
const isOurs = ({ type }: PersistentVolumeClaimCondition): boolean =>
  type === "ModifyingVolume" || type === "ModifyVolumeError";

/** What is said again keeps its time: a status that says the same is not written again. */
const withConditions = (status: ClaimStatus, own: readonly PersistentVolumeClaimCondition[]): ClaimStatus => {
  const { conditions = [], ...rest } = status;
  const mine = own.map((one) => {
    const before = conditions.find(({ type, message }) => type === one.type && message === one.message);
    return before?.reason === one.reason && before !== undefined ? before : one;
  });
  const all = [...conditions.filter((one) => !isOurs(one)), ...mine];
  return { ...rest, ...(all.length === 0 ? {} : { conditions: all }) };
};

const modifying = (message: string, now: string): PersistentVolumeClaimCondition => ({
  type: "ModifyingVolume",
  status: "True",
  lastProbeTime: now,
  message,
});

/** The class is not there (yet). */
export const pendingStatus = (status: ClaimStatus, target: string): ClaimStatus => ({
  ...status,
  modifyVolumeStatus: { targetVolumeAttributesClassName: target, ...status.modifyVolumeStatus, status: "Pending" },
});

/** The driver is asked now. */
export const startedStatus = (status: ClaimStatus, target: string, now: string): ClaimStatus => ({
  ...withConditions(status, [modifying(`Modifying volume to "${target}" is in progress.`, now)]),
  modifyVolumeStatus: { targetVolumeAttributesClassName: target, status: "InProgress" },
});

/** The driver could not do it; with `code` InvalidArgument it never will. */
export function failedStatus(
  status: ClaimStatus,
  target: string,
  why: { readonly code: string; readonly message: string; readonly now: string },
): ClaimStatus {
  const { code: reason, message, now } = why;
  const own = modifying(`Modifying volume to "${target}" failed. Waiting for retry.`, now);
  const error = { type: "ModifyVolumeError", status: "True", reason, message, lastProbeTime: now };
  return {
    ...withConditions(status, [own, error]),
    modifyVolumeStatus: {
      targetVolumeAttributesClassName: target,
      status: reason === "InvalidArgument" ? "Infeasible" : "InProgress",
    },
  };
}

export function modifiedStatus(status: ClaimStatus, target: string): ClaimStatus {
  const { modifyVolumeStatus: _done, ...rest } = withConditions(status, []);
  return { ...rest, currentVolumeAttributesClassName: target };
}

export const rolledBackStatus = (status: ClaimStatus): ClaimStatus => {
  const { conditions = [], ...rest } = status;
  const others = conditions.filter((one) => !isModifying(one));
  return { ...rest, ...(others.length === 0 ? {} : { conditions: others }) };
};
