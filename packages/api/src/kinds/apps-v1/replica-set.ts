import { defineResource } from "../../define-resource.ts";
import type { ReplicaSet } from "../../generated/types/apps-v1.ts";
import type { Column } from "../../resource-definition.ts";
import { age } from "../columns.ts";
import { defaultPodTemplate } from "../core-v1/pod-defaults.ts";
import { selectorColumn, templateColumns } from "../workload-columns.ts";

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
    set.spec ??= { selector: {} };
    set.spec.replicas ??= 1;
    set.spec.template ??= {};
    defaultPodTemplate(set.spec.template);
  },
});
