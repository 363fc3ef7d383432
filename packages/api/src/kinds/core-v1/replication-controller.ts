import { defineResource } from "../../define-resource.ts";
import type { ReplicationController } from "../../generated/types/core-v1.ts";
import type { Column } from "../../resource-definition.ts";
import { age, formatLabels } from "../columns.ts";
import { templateColumns } from "../workload-columns.ts";
import { defaultPodTemplate } from "./pod-defaults.ts";

const columns: readonly Column<ReplicationController>[] = [
  { title: "Desired", type: "integer", value: ({ spec }) => spec.replicas ?? 1 },
  { title: "Current", type: "integer", value: ({ status }) => status?.replicas ?? 0 },
  { title: "Ready", type: "integer", value: ({ status }) => status?.readyReplicas ?? 0 },
  age,
  ...templateColumns<ReplicationController>(({ spec }) => spec.template),
  { title: "Selector", priority: 1, value: ({ spec }) => formatLabels(spec.selector) },
];

/** `replicationcontrollers`. */
export const ReplicationControllers = defineResource<ReplicationController>({
  group: "",
  version: "v1",
  kind: "ReplicationController",
  plural: "replicationcontrollers",
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
});
