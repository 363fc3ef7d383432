import {
  type PersistentVolume,
  type PersistentVolumeClaim,
  PersistentVolumeClaims,
  PersistentVolumes,
  StorageClasses,
  type VolumeAttributesClass,
  VolumeAttributesClasses,
} from "@skiff/api";
import { describeError, timestamp } from "@skiff/base";
import {
  againIn,
  defineController,
  done,
  type Loop,
  type Outcome,
  type ReconcileContext,
  watching,
} from "@skiff/control-loop";
import { setClaimStatus } from "../persistent-volume/bind.ts";
import type { StorageDriver } from "../storage-driver.ts";
import { claimsOn, watchingReturns } from "../volume-provisioner/node-returns.ts";
import { placeOf } from "../volume-provisioner/places.ts";
import { readSecret } from "../volume-provisioner/read-secret.ts";
import { secretRef } from "../volume-provisioner/secret-refs.ts";
import {
  failedStatus,
  modifiedStatus,
  pendingStatus,
  planModification,
  restMs,
  rolledBackStatus,
  startedStatus,
} from "./plan.ts";

/**
 * Gives volumes the attributes of the classes that their claims name.
 * https://kubernetes.io/docs/concepts/storage/volume-attributes-classes/
 */
export const volumeModifier = (driver: StorageDriver): Loop =>
  defineController<PersistentVolumeClaim>({
    name: `volume-modifier-${driver.name}`,
    component: `external-resizer ${driver.name}`,
    for: PersistentVolumeClaims,
    reads: [PersistentVolumes, StorageClasses],
    watches: [
      watchingReturns(claimsOn),
      watching(VolumeAttributesClasses, ({ metadata }, { cached }) =>
        cached(PersistentVolumeClaims)
          .list()
          .filter(({ spec }) => spec.volumeAttributesClassName === metadata.name)
          .map((claim) => claim.metadata),
      ),
    ],
    async reconcile(claim, context) {
      const { cached, clock, recorder } = context;
      const plan = planModification(claim);
      const volume = cached(PersistentVolumes).get(claim.spec.volumeName ?? "");
      if (plan.kind === "nothing" || volume?.spec.csi?.driver !== driver.name) return done;
      if (plan.kind === "rolled back") {
        const event = { type: "Normal", reason: "VolumeModifyCanceled", message: "Cancelled modify." } as const;
        recorder.record(PersistentVolumeClaims, claim, event);
        await setClaimStatus(claim, rolledBackStatus(claim.status ?? {}), context);
        return done;
      }
      const waitMs = restMs(claim, clock.now());
      if (waitMs > 0) return againIn(waitMs);
      const wanted = cached(VolumeAttributesClasses).get(plan.target);
      if (wanted?.driverName === driver.name) return modify({ claim, volume, wanted, driver }, context);
      const message = `VAC "${plan.target}" does not exist.`;
      recorder.record(PersistentVolumeClaims, claim, { type: "Warning", reason: "VolumeModifyFailed", message });
      await setClaimStatus(claim, pendingStatus(claim.status ?? {}, plan.target), context);
      return done;
    },
  });

interface Change {
  readonly claim: PersistentVolumeClaim;
  readonly volume: PersistentVolume;
  readonly wanted: VolumeAttributesClass;
  readonly driver: StorageDriver;
}

async function modify({ claim, volume, wanted, driver }: Change, context: ReconcileContext): Promise<Outcome> {
  const { client, cached, clock, recorder, signal } = context;
  const { name: target } = wanted.metadata;
  const tell = (type: "Normal" | "Warning", reason: string, message: string) =>
    recorder.record(PersistentVolumeClaims, claim, { type, reason, message });
  const now = timestamp(clock.now());
  const before = claim.status?.modifyVolumeStatus;
  const isUnderWay = before?.status === "InProgress" && before.targetVolumeAttributesClassName === target;
  const started = isUnderWay
    ? claim
    : await setClaimStatus(claim, startedStatus(claim.status ?? {}, target, now), context);
  const about = `volume ${claim.metadata.name} with vac ${target}`;
  if (!isUnderWay) tell("Normal", "VolumeModify", `external resizer is modifying ${about}`);
  const fail = async (code: string, message: string) => {
    tell("Warning", "VolumeModifyFailed", message);
    await setClaimStatus(started, failedStatus(started.status ?? {}, target, { code, message, now }), context);
  };
  try {
    const { parameters = {} } = cached(StorageClasses).get(volume.spec.storageClassName ?? "") ?? {};
    const ref = secretRef("controller-modify", parameters, { volume: volume.metadata.name, claim });
    const known = {
      volumeId: volume.spec.csi?.volumeHandle ?? "",
      secrets: await readSecret(ref, context),
      at: placeOf(volume),
    };
    const outcome = await driver.modifyVolume({ ...known, parameters: wanted.parameters ?? {} }, signal);
    if (outcome.kind === "refused") {
      await fail("InvalidArgument", outcome.message);
      return done;
    }
  } catch (error) {
    signal.throwIfAborted();
    await fail("Internal", describeError(error));
    throw error;
  }
  const spec = { ...volume.spec, volumeAttributesClassName: target };
  await client.update(PersistentVolumes, { ...volume, spec }, { signal });
  await setClaimStatus(started, modifiedStatus(started.status ?? {}, target), context);
  tell("Normal", "VolumeModifySuccessful", `external resizer modified ${about} successfully`);
  return done;
}
