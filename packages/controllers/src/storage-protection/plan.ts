import {
  isPodTerminal,
  type KubeObject,
  type PersistentVolume,
  type PersistentVolumeClaim,
  type Pod,
} from "@skiff/api";
import { claimNameOf } from "../ephemeral-volume/plan.ts";

/** What to do about the finalizer that protects an object: `wait` while it is in use. */
export type Protection = "add" | "remove" | "wait" | "nothing";

/** An object is protected from its beginning, and let go when it is deleted and not in use. */
export function protection({ metadata }: KubeObject, finalizer: string, isUsed: () => boolean): Protection {
  const has = metadata.finalizers?.includes(finalizer) ?? false;
  if (metadata.deletionTimestamp === undefined) return has ? "nothing" : "add";
  if (!has) return "nothing";
  return isUsed() ? "wait" : "remove";
}

/** Names of the claims that a pod mounts, those that are made for it included. */
export const claimsOf = (pod: Pod): readonly string[] =>
  (pod.spec.volumes ?? []).flatMap((volume) => {
    const { persistentVolumeClaim, ephemeral } = volume;
    if (persistentVolumeClaim !== undefined) return [persistentVolumeClaim.claimName];
    return ephemeral === undefined ? [] : [claimNameOf(pod, volume)];
  });

/** A pod uses its claims from when it is on a node until it has ended. */
export const usesClaims = (pod: Pod): boolean => !!pod.spec.nodeName && !isPodTerminal(pod);

/** Names of the classes of volume attributes that a claim has, had and is to have. */
export const attributesClassesOf = ({ spec, status }: PersistentVolumeClaim): readonly string[] =>
  [
    spec.volumeAttributesClassName,
    status?.currentVolumeAttributesClassName,
    status?.modifyVolumeStatus?.targetVolumeAttributesClassName,
  ].filter((name): name is string => !!name);

/** A volume is in use while it is bound to a claim. */
export const isBound = ({ status }: PersistentVolume): boolean => status?.phase === "Bound";

/** The object with or without a finalizer. */
export function withFinalizer<T extends KubeObject>(object: T, finalizer: string, wanted: boolean): T {
  const others = (object.metadata.finalizers ?? []).filter((name) => name !== finalizer);
  return { ...object, metadata: { ...object.metadata, finalizers: wanted ? [...others, finalizer] : others } };
}
