import { defineResource, keepField } from "../../define-resource.ts";
import { fieldError } from "../../field-error.ts";
import type { VolumeAttachment, VolumeAttachmentSource, VolumeError } from "../../generated/types/storage-v1.ts";
import type { Column } from "../../resource-definition.ts";
import { checkDnsSubdomain, checkImmutable, type Findings } from "../../validation/checks.ts";
import { age } from "../columns.ts";
import { checkInlineVolume } from "../core-v1/persistent-volume-validation.ts";
import { checkCsiDriverName } from "../core-v1/remote-volume-validation.ts";

const most = { metadataBytes: 262_144, message: 1024 };

const columns: readonly Column<VolumeAttachment>[] = [
  { title: "Attacher", format: "name", value: ({ spec }) => spec?.attacher ?? "" },
  { title: "PV", value: ({ spec }) => spec?.source?.persistentVolumeName ?? "" },
  { title: "Node", value: ({ spec }) => spec?.nodeName ?? "" },
  { title: "Attached", type: "boolean", value: ({ status }) => status?.attached === true },
  age,
];

function* checkAttachment({ spec, status }: VolumeAttachment, old: VolumeAttachment | undefined): Findings {
  const { attacher = "", nodeName = "", source } = spec ?? {};
  if (attacher === "") yield fieldError.required("spec.attacher");
  yield* checkSource("spec.source", source ?? {});
  yield* checkDnsSubdomain("spec.nodeName", nodeName);
  const metadata = Object.entries(status?.attachmentMetadata ?? {});
  const bytes = metadata.reduce((sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value), 0);
  if (bytes > most.metadataBytes) yield fieldError.tooLong("status.attachmentMetadata", most.metadataBytes);
  yield* checkVolumeError("status.attachError", status?.attachError);
  yield* checkVolumeError("status.detachError", status?.detachError);
  if (old !== undefined) return;
  yield* checkCsiDriverName("spec.attacher", attacher);
  const volume = source?.persistentVolumeName;
  if (volume !== undefined) yield* checkDnsSubdomain("spec.source.persistentVolumeName", volume);
}

function* checkSource(field: string, source: VolumeAttachmentSource): Findings {
  const { inlineVolumeSpec, persistentVolumeName } = source;
  const message = "must specify exactly one of inlineVolumeSpec and persistentVolumeName";
  if (inlineVolumeSpec && persistentVolumeName !== undefined) yield fieldError.forbidden(field, message);
  else if (inlineVolumeSpec) yield* checkInlineVolume(`${field}.inlineVolumeSpec`, inlineVolumeSpec);
  else if (persistentVolumeName === undefined) yield fieldError.required(field, message);
  else if (persistentVolumeName === "") {
    yield fieldError.required(`${field}.persistentVolumeName`, "must specify non empty persistentVolumeName");
  }
}

function* checkVolumeError(field: string, error: VolumeError | undefined): Findings {
  // The limit that Kubernetes names is not the one that it keeps.
  if ((error?.message?.length ?? 0) > most.message) yield fieldError.tooLong(`${field}.message`, most.metadataBytes);
  const code = error?.errorCode;
  if (code !== undefined && code < 0) {
    yield fieldError.invalid(`${field}.errorCode`, code, "must be between 0 and 2147483647, inclusive");
  }
}

/** `volumeattachments.storage.k8s.io`. */
export const VolumeAttachments = defineResource<VolumeAttachment>({
  group: "storage.k8s.io",
  version: "v1",
  kind: "VolumeAttachment",
  plural: "volumeattachments",
  generation: "none",
  emptyStatus: { attached: false },
  columns,
  prepareStatusUpdate({ metadata }, old) {
    for (const field of ["labels", "annotations", "finalizers", "ownerReferences"]) {
      keepField(metadata, old.metadata, field);
    }
  },
  validate: (attachment, old) => [...checkAttachment(attachment, old)],
  validateUpdate: ({ spec }, old) => [...checkImmutable("spec", spec, old.spec)],
  validateStatusUpdate: (attachment, old) => [...checkAttachment(attachment, old)],
});
