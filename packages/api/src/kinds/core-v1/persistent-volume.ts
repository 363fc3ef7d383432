import { timestamp } from "@skiff/base";
import { defineResource } from "../../define-resource.ts";
import type { PersistentVolume } from "../../generated/types/core-v1.ts";
import type { Column } from "../../resource-definition.ts";
import { accessModesText } from "../access-modes.ts";
import { age } from "../columns.ts";
import { nodeTermWarnings } from "../node-label-warnings.ts";
import { checkVolume, checkVolumeUpdate } from "./persistent-volume-validation.ts";
import { defaultRemoteVolume } from "./volume-defaults.ts";
import { volumeSortWarnings } from "./volume-warnings.ts";

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

const annotations: Readonly<Record<string, string>> = {
  "volume.beta.kubernetes.io/storage-class": 'deprecated since v1.8; use "storageClassName" attribute instead',
  "volume.beta.kubernetes.io/mount-options": 'deprecated since v1.31; use "mountOptions" attribute instead',
};

const annotationWarnings = (given: Readonly<Record<string, string>> | undefined): string[] =>
  Object.entries(annotations).flatMap(([key, text]) =>
    given?.[key] === undefined ? [] : [`metadata.annotations[${key}]: ${text}`],
  );

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
    defaultRemoteVolume(volume.spec);
  },
  validate: (volume) => [...checkVolume(volume)],
  validateUpdate: (volume, old) => [...checkVolumeUpdate(volume, old)],
  warnings: ({ metadata, spec }) => [
    ...annotationWarnings(metadata.annotations),
    ...(spec.nodeAffinity?.required?.nodeSelectorTerms ?? []).flatMap((term, index) =>
      nodeTermWarnings(`spec.nodeAffinity.required.nodeSelectorTerms[${index}]`, term, { values: false }),
    ),
    ...volumeSortWarnings("spec", spec),
  ],
  prepareCreate(volume, { nowMs }) {
    volume.status = { phase: "Pending", lastPhaseTransitionTime: timestamp(nowMs) };
  },
  prepareStatusUpdate(volume, old, { nowMs }) {
    if (volume.status?.phase === old.status?.phase) return;
    volume.status.lastPhaseTransitionTime = timestamp(nowMs);
  },
});
