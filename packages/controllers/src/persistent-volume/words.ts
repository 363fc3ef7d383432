import type { ObjectReference, PersistentVolume, PersistentVolumeClaim } from "@skiff/api";

/** On claims: their binding has been completed once. */
export const bindCompleted = "pv.kubernetes.io/bind-completed";
/** On claims and volumes: it was a controller that bound them, not the user. */
export const boundByController = "pv.kubernetes.io/bound-by-controller";
/** On volumes: the name of what made them. */
export const provisionedBy = "pv.kubernetes.io/provisioned-by";
/** On claims: who shall make a volume, in both spellings. */
export const storageProvisioner = "volume.kubernetes.io/storage-provisioner";
export const storageProvisionerBeta = "volume.beta.kubernetes.io/storage-provisioner";
/** On claims: the node on which the scheduler wants the first pod. */
export const selectedNode = "volume.kubernetes.io/selected-node";
const classAnnotation = "volume.beta.kubernetes.io/storage-class";

/** The name of an object's class by annotation or field; empty where it has none. */
export const classOf = ({ metadata, spec }: PersistentVolume | PersistentVolumeClaim): string =>
  metadata.annotations?.[classAnnotation] ?? spec.storageClassName ?? "";

/** Whether the claim leaves its class open: no annotation, no field, not even an empty one. */
export const leavesClassOpen = ({ metadata, spec }: PersistentVolumeClaim): boolean =>
  metadata.annotations?.[classAnnotation] === undefined && spec.storageClassName === undefined;

export const hasAnnotation = ({ metadata }: PersistentVolume | PersistentVolumeClaim, name: string): boolean =>
  metadata.annotations?.[name] !== undefined;

/** Whether a volume is bound to this claim, or kept for it. */
export function isBoundTo({ spec }: PersistentVolume, { metadata }: PersistentVolumeClaim): boolean {
  const ref = spec.claimRef;
  if (ref === undefined) return false;
  if (ref.name !== metadata.name || ref.namespace !== metadata.namespace) return false;
  return !ref.uid || ref.uid === metadata.uid;
}

export const claimKey = ({ namespace = "", name = "" }: Pick<ObjectReference, "namespace" | "name">): string =>
  `${namespace}/${name}`;
