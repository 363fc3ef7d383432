import { defineResource } from "../../define-resource.ts";
import type { PersistentVolumeClaim } from "../../generated/types/core-v1.ts";
import type { Column } from "../../resource-definition.ts";
import { accessModesText } from "../access-modes.ts";
import { age } from "../columns.ts";

const isBound = ({ spec }: PersistentVolumeClaim): boolean => Boolean(spec.volumeName);

const columns: readonly Column<PersistentVolumeClaim>[] = [
  {
    title: "Status",
    value: ({ metadata, status }) => (metadata.deletionTimestamp === undefined ? (status?.phase ?? "") : "Terminating"),
  },
  { title: "Volume", value: ({ spec }) => spec.volumeName ?? "" },
  { title: "Capacity", value: (claim) => (isBound(claim) ? (claim.status?.capacity?.storage ?? "0") : "") },
  { title: "Access Modes", value: (claim) => (isBound(claim) ? accessModesText(claim.status?.accessModes) : "") },
  { title: "StorageClass", value: ({ spec }) => spec.storageClassName ?? "" },
  { title: "VolumeAttributesClass", value: ({ spec }) => spec.volumeAttributesClassName ?? "<unset>" },
  age,
  { title: "VolumeMode", priority: 1, value: ({ spec }) => spec.volumeMode ?? "<unset>" },
];

/** `persistentvolumeclaims`. */
export const PersistentVolumeClaims = defineResource<PersistentVolumeClaim>({
  group: "",
  version: "v1",
  kind: "PersistentVolumeClaim",
  plural: "persistentvolumeclaims",
  generation: "none",
  emptyStatus: { phase: "Pending" },
  columns,
  defaults(claim) {
    claim.spec ??= {};
    claim.spec.volumeMode ??= "Filesystem";
    claim.spec.resources ??= {};
  },
});
