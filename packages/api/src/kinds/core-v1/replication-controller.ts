import { defineResource } from "../../define-resource.ts";
import { fieldError } from "../../field-error.ts";
import type { ReplicationController } from "../../generated/types/core-v1.ts";
import type { Column } from "../../resource-definition.ts";
import { labelsSelector } from "../../selectors/label-selector.ts";
import { checkNonNegative, type Findings } from "../../validation/checks.ts";
import { checkReplicaCounts, checkRunsAlways } from "../apps-v1/workload-validation.ts";
import { age, formatLabels } from "../columns.ts";
import { templateColumns } from "../workload-columns.ts";
import { workloadWarnings } from "../workload-warnings.ts";
import { defaultPodTemplate } from "./pod-defaults.ts";
import { checkPodTemplate } from "./pod-validation.ts";

const columns: readonly Column<ReplicationController>[] = [
  { title: "Desired", type: "integer", value: ({ spec }) => spec.replicas ?? 1 },
  { title: "Current", type: "integer", value: ({ status }) => status?.replicas ?? 0 },
  { title: "Ready", type: "integer", value: ({ status }) => status?.readyReplicas ?? 0 },
  age,
  ...templateColumns<ReplicationController>(({ spec }) => spec.template),
  { title: "Selector", priority: 1, value: ({ spec }) => formatLabels(spec.selector) },
];

function* checkController({ spec }: ReplicationController): Findings {
  const { selector, template } = spec;
  yield* checkNonNegative("spec.minReadySeconds", spec.minReadySeconds);
  if (Object.keys(selector ?? {}).length === 0) yield fieldError.required("spec.selector");
  if (spec.replicas === undefined) yield fieldError.required("spec.replicas");
  else yield* checkNonNegative("spec.replicas", spec.replicas);
  if (template === undefined) return yield fieldError.required("spec.template");
  const labels = template.metadata?.labels;
  if (!labelsSelector(selector).matches(labels)) {
    const message = "`selector` does not match template `labels`";
    yield fieldError.invalid("spec.template.metadata.labels", labels, message);
  }
  yield* checkPodTemplate("spec.template", template);
  yield* checkRunsAlways("spec.template", template, "ReplicationController");
}

const counts = ["fullyLabeledReplicas", "readyReplicas", "availableReplicas"];

/** `replicationcontrollers`. */
export const ReplicationControllers = defineResource<ReplicationController>({
  group: "",
  version: "v1",
  kind: "ReplicationController",
  plural: "replicationcontrollers",
  orphansByDefault: true,
  emptyStatus: { replicas: 0 },
  columns,
  selectableFields: [{ path: "status.replicas", value: ({ status }) => String(status?.replicas ?? 0) }],
  defaults(controller) {
    controller.spec ??= {};
    const { spec } = controller;
    spec.replicas ??= 1;
    spec.template ??= {};
    defaultPodTemplate(spec.template);
    const labels = spec.template.metadata?.labels;
    if (labels && !spec.selector) spec.selector = { ...labels };
    if (labels && !controller.metadata.labels) controller.metadata.labels = { ...labels };
  },
  warnings: workloadWarnings<ReplicationController>("template", ({ spec }) => spec?.template),
  validate: (controller) => [...checkController(controller)],
  validateStatusUpdate: ({ status }) => [...checkReplicaCounts({ ...status }, counts)],
});
