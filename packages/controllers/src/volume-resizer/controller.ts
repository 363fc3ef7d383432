import {
  asUnits,
  compareQuantities,
  type PersistentVolumeClaim,
  type PersistentVolumeClaimCondition,
  PersistentVolumeClaims,
  PersistentVolumes,
} from "@skiff/api";
import { describeError, timestamp } from "@skiff/base";
import { defineController, done, type Loop } from "@skiff/control-loop";
import { setClaimStatus } from "../persistent-volume/bind.ts";
import type { StorageDriver } from "../storage-driver.ts";
import { claimsOn, watchingReturns } from "../volume-provisioner/node-returns.ts";
import { placeOf } from "../volume-provisioner/places.ts";
import { sizeText } from "../volume-provisioner/plan.ts";
import { readSecret } from "../volume-provisioner/read-secret.ts";

type ClaimStatus = PersistentVolumeClaim["status"];

const isResizing = ({ type }: PersistentVolumeClaimCondition): boolean =>
  type === "Resizing" || type === "FileSystemResizePending";

/** A claim's status while its volume grows, or with `condition` absent once it has grown. */
export function resizeStatus(
  status: ClaimStatus,
  step: {
    readonly size: string;
    readonly resource: string | undefined;
    readonly condition?: { readonly type: "Resizing" | "FileSystemResizePending"; readonly message?: string };
    readonly now: string;
  },
): ClaimStatus {
  const { allocatedResourceStatuses: _statuses, conditions = [], ...rest } = status ?? {};
  const others = conditions.filter((condition) => !isResizing(condition));
  const { condition, now } = step;
  const before = conditions.find(({ type }) => type === condition?.type);
  const own =
    condition === undefined
      ? []
      : [{ ...condition, status: "True", lastTransitionTime: before?.lastTransitionTime ?? now }];
  const all = [...others, ...own];
  return {
    ...rest,
    allocatedResources: { ...rest.allocatedResources, storage: step.size },
    ...(step.resource === undefined ? {} : { allocatedResourceStatuses: { storage: step.resource } }),
    ...(all.length === 0 ? {} : { conditions: all }),
  };
}

/** Whether a claim asks for more than its volume has, and the node has no part in that now. */
export function wantsToGrow({ spec, status }: PersistentVolumeClaim, volumeSize: string): boolean {
  const wanted = spec.resources?.requests?.storage;
  if (status?.phase !== "Bound" || wanted === undefined) return false;
  return compareQuantities(wanted, volumeSize) > 0;
}

/**
 * Lets volumes grow as their claims ask for it.
 * https://kubernetes.io/docs/concepts/storage/persistent-volumes/#expanding-persistent-volumes-claims
 */
export const volumeResizer = (driver: StorageDriver): Loop =>
  defineController<PersistentVolumeClaim>({
    name: `volume-resizer-${driver.name}`,
    component: `external-resizer ${driver.name}`,
    for: PersistentVolumeClaims,
    reads: [PersistentVolumes],
    watches: [watchingReturns(claimsOn)],
    async reconcile(claim, context) {
      const { cached, client, clock, recorder, signal } = context;
      const volume = cached(PersistentVolumes).get(claim.spec.volumeName ?? "");
      if (volume?.spec.csi?.driver !== driver.name) return done;
      if (!wantsToGrow(claim, volume.spec.capacity?.storage ?? "0")) return done;
      const { name } = volume.metadata;
      const size = claim.spec.resources?.requests?.storage ?? "0";
      const now = timestamp(clock.now());
      const tell = (type: "Normal" | "Warning", reason: string, message: string) =>
        recorder.record(PersistentVolumeClaims, claim, { type, reason, message });
      const resizing = { size, resource: "ControllerResizeInProgress", condition: { type: "Resizing" }, now } as const;
      const started = await setClaimStatus(claim, resizeStatus(claim.status, resizing), context);
      tell("Normal", "Resizing", `External resizer is resizing volume ${name}`);
      try {
        const { volumeHandle: volumeId, controllerExpandSecretRef } = volume.spec.csi;
        const secrets = await readSecret(controllerExpandSecretRef, context);
        const grown = await driver.expandVolume(
          { volumeId, secrets, at: placeOf(volume), sizeBytes: Math.ceil(asUnits(size)) },
          signal,
        );
        const capacity = { ...volume.spec.capacity, storage: sizeText(grown.sizeBytes) };
        await client.update(PersistentVolumes, { ...volume, spec: { ...volume.spec, capacity } }, { signal });
        if (grown.onNodeToo) {
          const message = "Waiting for user to (re-)start a pod to finish file system resize of volume on node.";
          const condition = { type: "FileSystemResizePending", message } as const;
          const pending = resizeStatus(started.status, { size, resource: "NodeResizePending", condition, now });
          await setClaimStatus(started, pending, context);
          tell("Normal", "FileSystemResizeRequired", "Require file system resize of volume on node");
        } else {
          const status = resizeStatus(started.status, { size, resource: undefined, now });
          await setClaimStatus(started, { ...status, capacity: { ...capacity } }, context);
          tell("Normal", "VolumeResizeSuccessful", "Resize volume succeeded");
        }
        return done;
      } catch (error) {
        signal.throwIfAborted();
        const why = describeError(error);
        tell("Warning", "VolumeResizeFailed", `resize volume "${name}" by resizer "${driver.name}" failed: ${why}`);
        throw error;
      }
    },
  });
