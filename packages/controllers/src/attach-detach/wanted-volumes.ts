import {
  isPodTerminal,
  type Node,
  type PersistentVolume,
  type PersistentVolumeClaim,
  type Pod,
  type Volume,
} from "@skiff/api";
import { claimNameOf, notForPod } from "../ephemeral-volume/plan.ts";
import { isBoundTo } from "../persistent-volume/words.ts";
import { type AttachableVolume, attachableVolume } from "./attachable-volume.ts";

/** A volume that pods of a node need. */
export interface WantedVolume extends AttachableVolume {
  readonly persistentVolume: PersistentVolume;
  readonly pods: readonly Pod[];
}

/** Where claims, volumes and drivers are looked up. */
export interface VolumeLookups {
  claim(namespace: string, name: string): PersistentVolumeClaim | undefined;
  volume(name: string): PersistentVolume | undefined;
  /** Whether volumes of the driver have to be attached. They have to where nothing is known of it. */
  needsAttaching(driver: string): boolean;
}

/** The volumes that must be attached to a node for the sake of its pods, each once. */
export function wantedVolumes(
  node: Node | undefined,
  pods: readonly Pod[],
  lookups: VolumeLookups,
): readonly WantedVolume[] {
  const keepsEnded = node?.metadata.annotations?.["volumes.kubernetes.io/keep-terminated-pod-volumes"] === "true";
  const wanted = new Map<string, WantedVolume>();
  for (const pod of pods) {
    if (hasEnded(pod) && !keepsEnded) continue;
    for (const volume of pod.spec.volumes ?? []) {
      const persistentVolume = persistentVolumeOf(pod, volume, lookups);
      const attachable = persistentVolume === undefined ? undefined : attachableVolume(persistentVolume);
      if (persistentVolume === undefined || attachable === undefined) continue;
      if (!lookups.needsAttaching(attachable.driver)) continue;
      const before = wanted.get(attachable.name)?.pods ?? [];
      wanted.set(attachable.name, { ...attachable, persistentVolume, pods: [...new Set([...before, pod])] });
    }
  }
  return [...wanted.values()];
}

/** A pod that goes needs its volumes until none of its containers runs. */
function hasEnded(pod: Pod): boolean {
  if (isPodTerminal(pod)) return true;
  if (pod.metadata.deletionTimestamp === undefined) return false;
  return (pod.status.containerStatuses ?? []).every(({ state = {} }) => state.terminated || state.waiting);
}

function persistentVolumeOf(pod: Pod, volume: Volume, lookups: VolumeLookups): PersistentVolume | undefined {
  const { persistentVolumeClaim, ephemeral } = volume;
  const name = persistentVolumeClaim?.claimName ?? (ephemeral === undefined ? undefined : claimNameOf(pod, volume));
  const claim = name === undefined ? undefined : lookups.claim(pod.metadata.namespace, name);
  if (claim?.status.phase !== "Bound" || !claim.spec.volumeName) return undefined;
  if (ephemeral !== undefined && notForPod(pod, claim) !== undefined) return undefined;
  const found = lookups.volume(claim.spec.volumeName);
  return found !== undefined && isBoundTo(found, claim) ? found : undefined;
}
