import type { PersistentVolume, PersistentVolumeClaim } from "@skiff/api";
import { boundByController, hasAnnotation, provisionedBy } from "./words.ts";

/** What becomes of a volume. */
export type VolumePlan =
  | { readonly kind: "phase"; readonly phase: "Available" | "Bound" }
  /** Its claim is gone, or has another volume: released, and then what its reclaim policy says. */
  | { readonly kind: "reclaim"; readonly by: Reclaim }
  | { readonly kind: "unbind" }
  /** The claim's own turn completes the binding. */
  | { readonly kind: "nothing" };

export type Reclaim =
  | { readonly kind: "retain" }
  | { readonly kind: "recycle" }
  /** By whoever made it. */
  | { readonly kind: "delete elsewhere" }
  | { readonly kind: "delete path"; readonly path: string }
  | { readonly kind: "fail"; readonly reason: string; readonly message: string };

/** `claim` is the one that `claimRef` names, by its uid too. */
export function planVolume(volume: PersistentVolume, claim: PersistentVolumeClaim | undefined): VolumePlan {
  if (!volume.spec.claimRef?.uid) return { kind: "phase", phase: "Available" };
  if (claim === undefined) return { kind: "reclaim", by: reclaimOf(volume) };
  if (!claim.spec.volumeName) return { kind: "nothing" };
  if (claim.spec.volumeName === volume.metadata.name) return { kind: "phase", phase: "Bound" };
  // Made for this claim, which got another volume meanwhile.
  const spare = hasAnnotation(volume, provisionedBy) && volume.spec.persistentVolumeReclaimPolicy === "Delete";
  return spare ? { kind: "reclaim", by: reclaimOf(volume) } : { kind: "unbind" };
}

const deletablePath = /^\/tmp\/.+/;

function reclaimOf(volume: PersistentVolume): Reclaim {
  const { persistentVolumeReclaimPolicy, hostPath, nfs } = volume.spec;
  const { name } = volume.metadata;
  switch (persistentVolumeReclaimPolicy) {
    case "Retain":
    case undefined:
      return { kind: "retain" };
    case "Recycle":
      if (hostPath !== undefined || nfs !== undefined) return { kind: "recycle" };
      return { kind: "fail", reason: "VolumeFailedRecycle", message: "No recycler plugin found for the volume!" };
    case "Delete":
      break;
    default: {
      const message = "Volume has an unrecognized PersistentVolumeReclaimPolicy";
      return { kind: "fail", reason: "VolumeUnknownReclaimPolicy", message };
    }
  }
  const maker = volume.metadata.annotations?.[provisionedBy] ?? "";
  const failed = (message: string): Reclaim => ({ kind: "fail", reason: "VolumeFailedDelete", message });
  if (maker !== "" && !maker.startsWith("kubernetes.io/")) return { kind: "delete elsewhere" };
  if (hostPath === undefined) {
    return failed(`error getting deleter volume plugin for volume "${name}": no deletable volume plugin matched`);
  }
  const { path } = hostPath;
  if (deletablePath.test(path) && !path.split("/").includes("..")) return { kind: "delete path", path };
  return failed(`host_path deleter only supports /tmp/.+ but received provided ${path}`);
}

/** A volume without its claim: as it was before, or still kept for the claim where the user had said so. */
export function unbound(volume: PersistentVolume): PersistentVolume {
  const { claimRef, ...spec } = volume.spec;
  if (!hasAnnotation(volume, boundByController)) {
    const { uid: _uid, ...kept } = claimRef ?? {};
    return { ...volume, spec: { ...spec, claimRef: kept } };
  }
  const { [boundByController]: _bound, ...annotations } = volume.metadata.annotations ?? {};
  return { ...volume, metadata: { ...volume.metadata, annotations }, spec };
}
