import { defineResource } from "../../define-resource.ts";
import type { StorageClass } from "../../generated/types/storage-v1.ts";
import type { Column } from "../../resource-definition.ts";
import { age } from "../columns.ts";
import { nodeLabelWarning } from "../node-label-warnings.ts";
import { checkStorageClass, checkStorageClassUpdate } from "./storage-class-validation.ts";

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

function topologyWarnings({ allowedTopologies = [] }: StorageClass): string[] {
  return allowedTopologies.flatMap(({ matchLabelExpressions = [] }, term) =>
    matchLabelExpressions.flatMap(({ key }, index) => {
      const message = nodeLabelWarning(key);
      const path = `allowedTopologies[${term}].matchLabelExpressions[${index}].key`;
      return message === undefined ? [] : [`${path}: ${key} is ${message}`];
    }),
  );
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
  validate: (storageClass) => [...checkStorageClass(storageClass)],
  validateUpdate: (storageClass, old) => [...checkStorageClassUpdate(storageClass, old)],
  warnings: topologyWarnings,
});
