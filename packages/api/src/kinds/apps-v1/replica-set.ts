import { defineResource } from "../../define-resource.ts";
import type { ReplicaSet } from "../../generated/types/apps-v1.ts";
import type { Column } from "../../resource-definition.ts";
import { checkImmutable, checkNonNegative, type Findings } from "../../validation/checks.ts";
import { age } from "../columns.ts";
import { defaultPodTemplate } from "../core-v1/pod-defaults.ts";
import { selectorColumn, templateColumns } from "../workload-columns.ts";
import { workloadWarnings } from "../workload-warnings.ts";
import { checkReplicaCounts, checkSelectorAndTemplate } from "./workload-validation.ts";

const columns: readonly Column<ReplicaSet>[] = [
  {
    title: "Desired",
    type: "integer",
    description: "Replicas is the number of desired pods.",
    value: ({ spec }) => spec.replicas ?? 1,
  },
  {
    title: "Current",
    type: "integer",
    description: "Replicas is the most recently observed number of non-terminating pods.",
    value: ({ status }) => status?.replicas ?? 0,
  },
  {
    title: "Ready",
    type: "integer",
    description: "The number of non-terminating pods targeted by this ReplicaSet with a Ready Condition.",
    value: ({ status }) => status?.readyReplicas ?? 0,
  },
  age,
  ...templateColumns<ReplicaSet>(({ spec }) => spec.template),
  selectorColumn<ReplicaSet>(
    "Selector is a label query over pods that should match the replica count.",
    ({ spec }) => spec.selector,
  ),
];

function* checkReplicaSet({ spec }: ReplicaSet): Findings {
  yield* checkNonNegative("spec.replicas", spec.replicas);
  yield* checkNonNegative("spec.minReadySeconds", spec.minReadySeconds);
  const { selector, template } = spec;
  yield* checkSelectorAndTemplate({ selector, template, kind: "ReplicaSet", emptyFor: "deployment" });
}

const counts = ["fullyLabeledReplicas", "readyReplicas", "availableReplicas"];

/** `replicasets.apps`. */
export const ReplicaSets = defineResource<ReplicaSet>({
  group: "apps",
  version: "v1",
  kind: "ReplicaSet",
  plural: "replicasets",
  emptyStatus: { replicas: 0 },
  columns,
  selectableFields: [{ path: "status.replicas", value: ({ status }) => String(status?.replicas ?? 0) }],
  defaults(set) {
    if (!set.spec) Reflect.set(set, "spec", {});
    set.spec.replicas ??= 1;
    set.spec.template ??= {};
    defaultPodTemplate(set.spec.template);
  },
  warnings: workloadWarnings<ReplicaSet>("spec.template", ({ spec }) => spec.template),
  validate: (set) => [...checkReplicaSet(set)],
  validateUpdate: ({ spec }, old) => [...checkImmutable("spec.selector", spec.selector, old.spec.selector)],
  validateStatusUpdate: ({ status }) => [...checkReplicaCounts({ ...status }, counts)],
});
