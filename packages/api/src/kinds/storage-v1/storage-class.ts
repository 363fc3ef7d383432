import { jsonEqual } from "@skiff/base";
import { defineResource } from "../../define-resource.ts";
import { fieldError } from "../../field-error.ts";
import type { StorageClass } from "../../generated/types/storage-v1.ts";
import type { Column } from "../../resource-definition.ts";
import { checkImmutable, type Findings } from "../../validation/checks.ts";
import { age } from "../columns.ts";

const isDefault = ({ metadata }: StorageClass): boolean =>
  metadata.annotations?.["storageclass.kubernetes.io/is-default-class"] === "true" ||
  metadata.annotations?.["storageclass.beta.kubernetes.io/is-default-class"] === "true";

const columns: readonly Column<StorageClass>[] = [
  // The name tells which one is taken by default.
  {
    title: "Name",
    format: "name",
    value: (storageClass) => `${storageClass.metadata.name}${isDefault(storageClass) ? " (default)" : ""}`,
  },
  { title: "Provisioner", value: ({ provisioner }) => provisioner },
  { title: "ReclaimPolicy", value: ({ reclaimPolicy }) => reclaimPolicy ?? "Delete" },
  { title: "VolumeBindingMode", value: ({ volumeBindingMode }) => volumeBindingMode ?? "Immediate" },
  { title: "AllowVolumeExpansion", value: ({ allowVolumeExpansion }) => allowVolumeExpansion === true },
  age,
];

function* checkUpdate(storageClass: StorageClass, old: StorageClass): Findings {
  if (!jsonEqual(storageClass.parameters ?? {}, old.parameters ?? {})) {
    yield fieldError.forbidden("parameters", "updates to parameters are forbidden.");
  }
  if (storageClass.provisioner !== old.provisioner) {
    yield fieldError.forbidden("provisioner", "updates to provisioner are forbidden.");
  }
  if (storageClass.reclaimPolicy !== old.reclaimPolicy) {
    yield fieldError.forbidden("reclaimPolicy", "updates to reclaimPolicy are forbidden.");
  }
  yield* checkImmutable("volumeBindingMode", storageClass.volumeBindingMode, old.volumeBindingMode);
}

/** `storageclasses.storage.k8s.io`. */
export const StorageClasses = defineResource<StorageClass>({
  group: "storage.k8s.io",
  version: "v1",
  kind: "StorageClass",
  plural: "storageclasses",
  columns,
  defaults(storageClass) {
    storageClass.reclaimPolicy ??= "Delete";
    storageClass.volumeBindingMode ??= "Immediate";
  },
  validateUpdate: (storageClass, old) => [...checkUpdate(storageClass, old)],
});
