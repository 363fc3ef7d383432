import { defineResource } from "../../define-resource.ts";
import type { StorageClass } from "../../generated/types/storage-v1.ts";

/** `storageclasses.storage.k8s.io`. */
export const StorageClasses = defineResource<StorageClass>({
  group: "storage.k8s.io",
  version: "v1",
  kind: "StorageClass",
  plural: "storageclasses",
});
