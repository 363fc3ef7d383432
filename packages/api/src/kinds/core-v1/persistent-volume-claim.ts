import { defineResource } from "../../define-resource.ts";
import type { PersistentVolumeClaim } from "../../generated/types/core-v1.ts";

/** `persistentvolumeclaims`. */
export const PersistentVolumeClaims = defineResource<PersistentVolumeClaim>({
  group: "",
  version: "v1",
  kind: "PersistentVolumeClaim",
  plural: "persistentvolumeclaims",
});
