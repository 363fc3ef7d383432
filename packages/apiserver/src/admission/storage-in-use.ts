import {
  PersistentVolumeClaims,
  PersistentVolumes,
  type ResourceDefinition,
  VolumeAttributesClasses,
} from "@skiff/api";
import type { AdmissionPlugin } from "../contracts.ts";
import { isFor } from "./narrow.ts";

const finalizers: readonly (readonly [ResourceDefinition, finalizer: string])[] = [
  [PersistentVolumeClaims, "kubernetes.io/pvc-protection"],
  [PersistentVolumes, "kubernetes.io/pv-protection"],
  [VolumeAttributesClasses, "kubernetes.io/vac-protection"],
];

/** New claims, volumes and their classes get the finalizer that keeps them for as long as they are in use. */
export const storageObjectInUseProtection: AdmissionPlugin = {
  name: "StorageObjectInUseProtection",
  resources: finalizers.map(([resource]) => resource),
  handles: ({ operation, subresource }) => operation === "CREATE" && subresource === undefined,
  admit(request) {
    const metadata = request.object?.metadata;
    const finalizer = finalizers.find(([resource]) => isFor(request, resource))?.[1];
    if (metadata === undefined || finalizer === undefined || metadata.finalizers?.includes(finalizer)) return;
    metadata.finalizers = [...(metadata.finalizers ?? []), finalizer];
  },
};
