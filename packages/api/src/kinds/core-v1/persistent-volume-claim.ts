import { defineResource } from "../../define-resource.ts";
import type {
  PersistentVolumeClaim,
  PersistentVolumeClaimSpec,
  TypedLocalObjectReference,
} from "../../generated/types/core-v1.ts";
import type { Column } from "../../resource-definition.ts";
import { accessModesText } from "../access-modes.ts";
import { age } from "../columns.ts";
import { fractionWarnings } from "./container-warnings.ts";
import { checkClaimUpdate } from "./volume-claim-update.ts";
import { checkClaimSpec, checkClaimStatusUpdate } from "./volume-claim-validation.ts";

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

const classAnnotation = "volume.beta.kubernetes.io/storage-class";

/** What the older field can name; anything else needs the newer one. */
const isOldSource = ({ apiGroup = "", kind }: TypedLocalObjectReference): boolean =>
  (apiGroup === "" && kind === "PersistentVolumeClaim") ||
  (apiGroup === "snapshot.storage.k8s.io" && kind === "VolumeSnapshot");

/** The two fields for where the data come from say the same, unless that is in another namespace. */
function alignDataSources(spec: PersistentVolumeClaimSpec): void {
  const { dataSource, dataSourceRef } = spec;
  if (dataSource && !dataSourceRef) spec.dataSourceRef = { ...dataSource };
  else if (dataSourceRef && !dataSource && !dataSourceRef.namespace) {
    const { namespace: _namespace, ...local } = dataSourceRef;
    spec.dataSource = local;
  }
}

/** `persistentvolumeclaims`. */
export const PersistentVolumeClaims = defineResource<PersistentVolumeClaim>({
  group: "",
  version: "v1",
  kind: "PersistentVolumeClaim",
  plural: "persistentvolumeclaims",
  generation: "none",
  emptyStatus: { phase: "Pending" },
  columns,
  validate: (claim, old) => [...checkClaimSpec("spec", claim.spec, old?.spec)],
  validateUpdate: (claim, old) => [...checkClaimUpdate(claim, old)],
  validateStatusUpdate: (claim) => [...checkClaimStatusUpdate(claim)],
  warnings: ({ metadata, spec }) => [
    ...(metadata.annotations?.[classAnnotation] === undefined
      ? []
      : [`metadata.annotations[${classAnnotation}]: deprecated since v1.8; use "storageClassName" attribute instead`]),
    ...fractionWarnings("spec.resources.requests", spec.resources?.requests, ["storage"]),
  ],
  prepareCreate({ spec }) {
    if (spec.dataSource && !isOldSource(spec.dataSource)) delete spec.dataSource;
    alignDataSources(spec);
  },
  prepareUpdate: ({ spec }) => alignDataSources(spec),
  defaults(claim) {
    claim.spec ??= {};
    claim.spec.volumeMode ??= "Filesystem";
    claim.spec.resources ??= {};
  },
});
