import { timestamp } from "@skiff/base";
import { defineResource } from "../../define-resource.ts";
import type { PersistentVolume } from "../../generated/types/core-v1.ts";
import type { Column } from "../../resource-definition.ts";
import { accessModesText } from "../access-modes.ts";
import { age } from "../columns.ts";

const columns: readonly Column<PersistentVolume>[] = [
  { title: "Capacity", value: ({ spec }) => spec.capacity?.storage ?? "" },
  { title: "Access Modes", value: ({ spec }) => accessModesText(spec.accessModes) },
  { title: "Reclaim Policy", value: ({ spec }) => spec.persistentVolumeReclaimPolicy ?? "" },
  {
    title: "Status",
    value: ({ metadata, status }) => (metadata.deletionTimestamp === undefined ? (status?.phase ?? "") : "Terminating"),
  },
  { title: "Claim", value: ({ spec }) => (spec.claimRef ? `${spec.claimRef.namespace}/${spec.claimRef.name}` : "") },
  { title: "StorageClass", value: ({ spec }) => spec.storageClassName ?? "" },
  { title: "VolumeAttributesClass", value: ({ spec }) => spec.volumeAttributesClassName ?? "<unset>" },
  { title: "Reason", value: ({ status }) => status?.reason ?? "" },
  age,
  { title: "VolumeMode", priority: 1, value: ({ spec }) => spec.volumeMode ?? "<unset>" },
];

/** `persistentvolumes`. */
export const PersistentVolumes = defineResource<PersistentVolume>({
  group: "",
  version: "v1",
  kind: "PersistentVolume",
  plural: "persistentvolumes",
  generation: "none",
  columns,
  defaults(volume) {
    if (!volume.spec) Reflect.set(volume, "spec", {});
    volume.spec.persistentVolumeReclaimPolicy ||= "Retain";
    volume.spec.volumeMode ??= "Filesystem";
    if (volume.spec.hostPath) volume.spec.hostPath.type ??= "";
  },
  prepareCreate(volume, { nowMs }) {
    volume.status = { phase: "Pending", lastPhaseTransitionTime: timestamp(nowMs) };
  },
  prepareStatusUpdate(volume, old, { nowMs }) {
    if (volume.status?.phase === old.status?.phase) return;
    volume.status.lastPhaseTransitionTime = timestamp(nowMs);
  },
});
