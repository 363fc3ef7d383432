import {
  type ObjectReference,
  type PersistentVolume,
  type PersistentVolumeClaim,
  PersistentVolumeClaims,
  PersistentVolumes,
} from "@skiff/api";
import { jsonEqual } from "@skiff/base";
import type { ReconcileContext } from "@skiff/control-loop";
import { bindCompleted, boundByController, hasAnnotation, isBoundTo } from "./words.ts";

/** The claim as volumes refer to it. */
const referenceTo = ({ metadata }: PersistentVolumeClaim): ObjectReference => ({
  kind: "PersistentVolumeClaim",
  apiVersion: "v1",
  namespace: metadata.namespace,
  name: metadata.name,
  uid: metadata.uid,
  ...(metadata.resourceVersion === undefined ? {} : { resourceVersion: metadata.resourceVersion }),
});

/** The volume with the claim in it: first half of a binding. The same object where nothing is to change. */
export function volumeBoundTo(volume: PersistentVolume, claim: PersistentVolumeClaim): PersistentVolume {
  const byController = !isBoundTo(volume, claim) && !hasAnnotation(volume, boundByController);
  const named = volume.spec.claimRef?.uid === claim.metadata.uid && isBoundTo(volume, claim);
  if (named && !byController) return volume;
  return {
    ...volume,
    metadata: byController ? annotated(volume.metadata, { [boundByController]: "yes" }) : volume.metadata,
    spec: named ? volume.spec : { ...volume.spec, claimRef: referenceTo(claim) },
  };
}

/** The claim with the volume in it: the second half. The same object where nothing is to change. */
export function claimBoundTo(claim: PersistentVolumeClaim, volume: PersistentVolume): PersistentVolumeClaim {
  const byController = claim.spec.volumeName !== volume.metadata.name && !hasAnnotation(claim, boundByController);
  const completed = hasAnnotation(claim, bindCompleted);
  if (claim.spec.volumeName === volume.metadata.name && completed) return claim;
  return {
    ...claim,
    metadata: annotated(claim.metadata, {
      ...(byController ? { [boundByController]: "yes" } : {}),
      ...(completed ? {} : { [bindCompleted]: "yes" }),
    }),
    spec: { ...claim.spec, volumeName: volume.metadata.name },
  };
}

/** A claim's status once it has the volume. What it may hold is the resizer's once it is bound. */
export function boundStatus(claim: PersistentVolumeClaim, volume: PersistentVolume): PersistentVolumeClaim["status"] {
  const { status } = claim;
  const { accessModes = [], capacity = {}, volumeAttributesClassName } = volume.spec;
  const becomes = status?.phase !== "Bound";
  return {
    ...status,
    phase: "Bound",
    accessModes: [...accessModes],
    ...(becomes || status?.capacity?.storage === undefined ? { capacity: { ...capacity } } : {}),
    ...(becomes && volumeAttributesClassName ? { currentVolumeAttributesClassName: volumeAttributesClassName } : {}),
  };
}

function annotated<M extends { annotations?: Record<string, string> | undefined }>(
  metadata: M,
  more: Readonly<Record<string, string>>,
): M {
  return { ...metadata, annotations: { ...metadata.annotations, ...more } };
}

/** Writes both halves, the volume's first: only it can tell whether somebody else was faster. */
export async function bind(
  claim: PersistentVolumeClaim,
  volume: PersistentVolume,
  onWritten: (volume: PersistentVolume) => void,
  context: ReconcileContext,
): Promise<void> {
  const { client, signal } = context;
  const wanted = volumeBoundTo(volume, claim);
  const held = wanted === volume ? volume : await client.update(PersistentVolumes, wanted, { signal });
  onWritten(held);
  const bound = await setVolumePhase(held, { phase: "Bound" }, context);
  onWritten(bound);
  const named = claimBoundTo(claim, bound);
  const written = named === claim ? claim : await client.update(PersistentVolumeClaims, named, { signal });
  await setClaimStatus(written, boundStatus(written, bound), context);
}

/** A volume's new phase; nothing is written where it has it already. */
export async function setVolumePhase(
  volume: PersistentVolume,
  status: { readonly phase: string; readonly message?: string },
  { client, signal }: ReconcileContext,
): Promise<PersistentVolume> {
  if (volume.status?.phase === status.phase) return volume;
  const { message: _message, reason: _reason, ...rest } = volume.status ?? {};
  return client.updateStatus(PersistentVolumes, { ...volume, status: { ...rest, ...status } }, { signal });
}

export async function setClaimStatus(
  claim: PersistentVolumeClaim,
  status: PersistentVolumeClaim["status"],
  { client, signal }: ReconcileContext,
): Promise<PersistentVolumeClaim> {
  if (jsonEqual(claim.status ?? {}, status)) return claim;
  return client.updateStatus(PersistentVolumeClaims, { ...claim, status }, { signal });
}

/** A claim's status without a volume. */
export function unboundStatus(
  claim: PersistentVolumeClaim,
  phase: "Pending" | "Lost",
): PersistentVolumeClaim["status"] {
  const { accessModes: _modes, capacity: _capacity, ...rest } = claim.status ?? {};
  return { ...rest, phase };
}
