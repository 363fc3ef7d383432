import { defineResource } from "../../define-resource.ts";
import type { StatefulSet } from "../../generated/types/apps-v1.ts";
import type { PersistentVolumeClaim } from "../../generated/types/core-v1.ts";
import type { Column } from "../../resource-definition.ts";
import { dnsLabelName } from "../../validation/names.ts";
import { age } from "../columns.ts";
import { fractionWarnings } from "../core-v1/container-warnings.ts";
import { defaultPodTemplate } from "../core-v1/pod-defaults.ts";
import { templateColumns } from "../workload-columns.ts";
import { workloadWarnings } from "../workload-warnings.ts";
import { checkStatefulSet, checkStatefulSetStatusUpdate, checkStatefulSetUpdate } from "./stateful-set-validation.ts";

const columns: readonly Column<StatefulSet>[] = [
  {
    title: "Ready",
    description: "Number of the pod with ready state",
    value: ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec.replicas ?? 1}`,
  },
  age,
  ...templateColumns<StatefulSet>(({ spec }) => spec.template),
];

function defaultClaimTemplate(claim: PersistentVolumeClaim): void {
  claim.apiVersion ||= "v1";
  claim.kind ||= "PersistentVolumeClaim";
  if (claim.spec) claim.spec.volumeMode ??= "Filesystem";
  claim.status ??= {};
  claim.status.phase ||= "Pending";
}

const ofTemplate = workloadWarnings<StatefulSet>("spec.template", ({ spec }) => spec.template, { named: false });

function ownWarnings({ spec, metadata }: StatefulSet, old: StatefulSet | undefined): string[] {
  if (old?.metadata.generation === metadata.generation) return [];
  const field = "spec.volumeClaimTemplates";
  const claims = (spec.volumeClaimTemplates ?? []).flatMap(({ spec: claim }, index) =>
    fractionWarnings(`${field}[${index}].resources.requests`, claim?.resources?.requests, ["storage"]),
  );
  const text = "a negative value retains all historical revisions; a value >= 0 is recommended";
  return [...claims, ...((spec.revisionHistoryLimit ?? 0) < 0 ? [`spec.revisionHistoryLimit: ${text}`] : [])];
}

/** `statefulsets.apps`. */
export const StatefulSets = defineResource<StatefulSet>({
  group: "apps",
  version: "v1",
  kind: "StatefulSet",
  plural: "statefulsets",
  emptyStatus: { replicas: 0, availableReplicas: 0 },
  columns,
  defaults(set) {
    if (!set.spec) Reflect.set(set, "spec", {});
    const { spec } = set;
    spec.template ??= {};
    defaultPodTemplate(spec.template);
    spec.podManagementPolicy ||= "OrderedReady";
    spec.updateStrategy ??= {};
    spec.updateStrategy.type ||= "RollingUpdate";
    if (spec.updateStrategy.type === "RollingUpdate") {
      spec.updateStrategy.rollingUpdate = { partition: 0, maxUnavailable: 1, ...spec.updateStrategy.rollingUpdate };
    }
    spec.persistentVolumeClaimRetentionPolicy ??= {};
    spec.persistentVolumeClaimRetentionPolicy.whenDeleted ||= "Retain";
    spec.persistentVolumeClaimRetentionPolicy.whenScaled ||= "Retain";
    spec.replicas ??= 1;
    spec.revisionHistoryLimit ??= 10;
    for (const claim of spec.volumeClaimTemplates ?? []) defaultClaimTemplate(claim);
  },
  warnings: (set, old) => [...ofTemplate(set, old), ...ownWarnings(set, old)],
  validateName: dnsLabelName,
  validate: (set, old) => [...checkStatefulSet(set, old)],
  validateUpdate: (set, old) => [...checkStatefulSetUpdate(set, old)],
  validateStatusUpdate: (set, old) => [...checkStatefulSetStatusUpdate(set, old)],
});
