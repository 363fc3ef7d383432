import { defineResource } from "../../define-resource.ts";
import type { DaemonSet } from "../../generated/types/apps-v1.ts";
import type { Column } from "../../resource-definition.ts";
import { age, formatLabels } from "../columns.ts";
import { defaultPodTemplate } from "../core-v1/pod-defaults.ts";
import { selectorColumn, templateColumns } from "../workload-columns.ts";
import { workloadWarnings } from "../workload-warnings.ts";
import { checkDaemonSet, checkDaemonSetStatusUpdate, checkDaemonSetUpdate } from "./daemon-set-validation.ts";

const columns: readonly Column<DaemonSet>[] = [
  { title: "Desired", type: "integer", value: ({ status }) => status?.desiredNumberScheduled ?? 0 },
  { title: "Current", type: "integer", value: ({ status }) => status?.currentNumberScheduled ?? 0 },
  { title: "Ready", type: "integer", value: ({ status }) => status?.numberReady ?? 0 },
  { title: "Up-to-date", type: "integer", value: ({ status }) => status?.updatedNumberScheduled ?? 0 },
  { title: "Available", type: "integer", value: ({ status }) => status?.numberAvailable ?? 0 },
  { title: "Node Selector", value: ({ spec }) => formatLabels(spec.template?.spec?.nodeSelector) },
  age,
  ...templateColumns<DaemonSet>(({ spec }) => spec.template),
  selectorColumn<DaemonSet>("A label query over pods that are managed by the daemon set.", ({ spec }) => spec.selector),
];

/** `daemonsets.apps`. */
export const DaemonSets = defineResource<DaemonSet>({
  group: "apps",
  version: "v1",
  kind: "DaemonSet",
  plural: "daemonsets",
  emptyStatus: { currentNumberScheduled: 0, numberMisscheduled: 0, desiredNumberScheduled: 0, numberReady: 0 },
  columns,
  defaults(set) {
    if (!set.spec) Reflect.set(set, "spec", {});
    const { spec } = set;
    spec.template ??= {};
    defaultPodTemplate(spec.template);
    spec.updateStrategy ??= {};
    spec.updateStrategy.type ||= "RollingUpdate";
    if (spec.updateStrategy.type === "RollingUpdate") {
      spec.updateStrategy.rollingUpdate = { maxUnavailable: 1, maxSurge: 0, ...spec.updateStrategy.rollingUpdate };
    }
    spec.revisionHistoryLimit ??= 10;
  },
  warnings: workloadWarnings<DaemonSet>("spec.template", ({ spec }) => spec.template, { named: false }),
  validate: (set) => [...checkDaemonSet(set)],
  validateUpdate: (set, old) => [...checkDaemonSetUpdate(set, old)],
  validateStatusUpdate: (set, old) => [...checkDaemonSetStatusUpdate(set, old)],
});
