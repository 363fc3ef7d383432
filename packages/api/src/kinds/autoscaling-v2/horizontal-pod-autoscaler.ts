import { defineResource } from "../../define-resource.ts";
import type {
  HorizontalPodAutoscaler,
  HorizontalPodAutoscalerBehavior,
  HPAScalingRules,
  MetricSpec,
  MetricStatus,
} from "../../generated/types/autoscaling-v2.ts";
import type { Column } from "../../resource-definition.ts";
import { age } from "../columns.ts";
import { checkAutoscaler, checkAutoscalerStatus } from "./autoscaler-validation.ts";

/** A metric's value beside its target: `cpu: 12%/80%`, `<unknown>/500m`. */
function metricText(metric: MetricSpec, status: MetricStatus | undefined): string {
  const source = metric.resource ?? metric.containerResource ?? metric.pods ?? metric.object ?? metric.external;
  const observed = status?.resource ?? status?.containerResource ?? status?.pods ?? status?.object ?? status?.external;
  const target = source?.target;
  const current = observed?.current;
  const name = metric.resource?.name ?? metric.containerResource?.name;
  const label = name === undefined ? "" : `${name}: `;
  if (target?.averageUtilization !== undefined) {
    const share = current?.averageUtilization;
    return `${label}${share === undefined ? "<unknown>" : `${share}%`}/${target.averageUtilization}%`;
  }
  const average = target?.averageValue !== undefined;
  const value = average ? current?.averageValue : current?.value;
  const suffix = average && name === undefined && !metric.pods ? " (avg)" : "";
  return `${label}${value ?? "<unknown>"}/${target?.averageValue ?? target?.value ?? "<auto>"}${suffix}`;
}

function targetsText({ spec, status }: HorizontalPodAutoscaler): string {
  const metrics = spec.metrics ?? [];
  if (metrics.length === 0) return "<none>";
  const texts = metrics.map((metric, index) => metricText(metric, status?.currentMetrics?.[index]));
  return texts.length > 2 ? `${texts.slice(0, 2).join(", ")} + ${texts.length - 2} more...` : texts.join(", ");
}

const columns: readonly Column<HorizontalPodAutoscaler>[] = [
  { title: "Reference", value: ({ spec }) => `${spec.scaleTargetRef?.kind}/${spec.scaleTargetRef?.name}` },
  { title: "Targets", value: targetsText },
  { title: "MinPods", value: ({ spec }) => String(spec.minReplicas ?? "<unset>") },
  { title: "MaxPods", value: ({ spec }) => spec.maxReplicas },
  { title: "Replicas", value: ({ status }) => status?.currentReplicas ?? 0 },
  age,
];

/** What of scaling up and down is not said is as Kubernetes has it: up fast, down in no hurry. */
function defaultBehavior(behavior: HorizontalPodAutoscalerBehavior): void {
  const { scaleUp, scaleDown } = behavior;
  behavior.scaleUp = {
    stabilizationWindowSeconds: 0,
    selectPolicy: "Max",
    policies: [
      { type: "Pods", value: 4, periodSeconds: 15 },
      { type: "Percent", value: 100, periodSeconds: 15 },
    ],
    ...given(scaleUp),
  };
  behavior.scaleDown = {
    selectPolicy: "Max",
    policies: [{ type: "Percent", value: 100, periodSeconds: 15 }],
    ...given(scaleDown),
  };
}

const given = (rules: HPAScalingRules | undefined): HPAScalingRules =>
  Object.fromEntries(Object.entries(rules ?? {}).filter(([, value]) => value !== undefined));

/** `horizontalpodautoscalers.autoscaling`. */
export const HorizontalPodAutoscalers = defineResource<HorizontalPodAutoscaler>({
  group: "autoscaling",
  version: "v2",
  kind: "HorizontalPodAutoscaler",
  plural: "horizontalpodautoscalers",
  generation: "spec",
  emptyStatus: { desiredReplicas: 0, currentMetrics: null },
  columns,
  validate: (autoscaler, old) => [...checkAutoscaler(autoscaler, old)],
  validateStatusUpdate: (autoscaler) => [...checkAutoscalerStatus(autoscaler)],
  defaults(autoscaler) {
    if (!autoscaler.spec) Reflect.set(autoscaler, "spec", {});
    const { spec } = autoscaler;
    spec.minReplicas ??= 1;
    if (!spec.metrics?.length) {
      const target = { type: "Utilization", averageUtilization: 80 };
      spec.metrics = [{ type: "Resource", resource: { name: "cpu", target } }];
    }
    if (spec.behavior) defaultBehavior(spec.behavior);
  },
});
