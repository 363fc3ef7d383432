import { defineResource } from "../../define-resource.ts";
import type { PersistentVolume } from "../../generated/types/core-v1.ts";

/** `persistentvolumes`. */
export const PersistentVolumes = defineResource<PersistentVolume>({
  group: "",
  version: "v1",
  kind: "PersistentVolume",
  plural: "persistentvolumes",
});
