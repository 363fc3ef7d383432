/**
 * The older form of autoscalers knows one metric, the share of requested cpu. What else the stored form says travels in
 * annotations, so that who reads and writes the older form loses nothing.
 */
import { isJsonObject, type JsonObject, type JsonValue } from "@skiff/base";
import { defineResource } from "../../define-resource.ts";
import type { DynamicObject } from "../../object.ts";
import type { Column } from "../../resource-definition.ts";
import { HorizontalPodAutoscalers } from "../autoscaling-v2/horizontal-pod-autoscaler.ts";
import { viewColumns } from "../view-columns.ts";
import { fromOlderMetric, type MetricSide, toOlderMetric } from "./metric-conversion.ts";

const prefix = "autoscaling.alpha.kubernetes.io/";
const annotationOf = {
  metrics: `${prefix}metrics`,
  behavior: `${prefix}behavior`,
  conditions: `${prefix}conditions`,
  currentMetrics: `${prefix}current-metrics`,
} as const;
type Carried = keyof typeof annotationOf;

const columns: readonly Column<DynamicObject>[] = viewColumns(HorizontalPodAutoscalers, toStored);

/** `horizontalpodautoscalers.autoscaling` in version 1, stored as version 2. */
export const HorizontalPodAutoscalersV1 = defineResource({
  group: "autoscaling",
  version: "v1",
  kind: "HorizontalPodAutoscaler",
  plural: "horizontalpodautoscalers",
  columns,
  storedAs: {
    group: "autoscaling",
    version: "v2",
    plural: "horizontalpodautoscalers",
    toStored,
    fromStored,
  },
});

const part = (object: DynamicObject, field: string): JsonObject => {
  const value = object[field];
  return isJsonObject(value) ? { ...value } : {};
};

function withAnnotations(
  object: DynamicObject,
  annotations: Readonly<Record<string, string>>,
): DynamicObject["metadata"] {
  const { annotations: _old, ...metadata } = object.metadata;
  return Object.keys(annotations).length === 0 ? metadata : { ...metadata, annotations: { ...annotations } };
}

function carried(annotations: Readonly<Record<string, string>>, field: Carried): JsonValue | undefined {
  try {
    return JSON.parse(annotations[annotationOf[field]] ?? "null") ?? undefined;
  } catch {
    // An annotation that somebody broke carries nothing.
    return undefined;
  }
}

const carriedMetrics = (value: JsonValue | undefined, side: MetricSide): JsonValue[] =>
  Array.isArray(value) ? value.map((metric) => fromOlderMetric(metric, side)) : [];

function toStored(object: DynamicObject): DynamicObject {
  const annotations = object.metadata.annotations ?? {};
  const { targetCPUUtilizationPercentage: share, ...spec } = part(object, "spec");
  const { currentCPUUtilizationPercentage: current, ...status } = part(object, "status");
  const others = carriedMetrics(carried(annotations, "metrics"), "spec");
  const metrics = [...others, ...(typeof share === "number" ? [cpuMetric(share)] : [])];
  const observed = carriedMetrics(carried(annotations, "currentMetrics"), "status");
  const measured = observed.length > 0 ? observed : typeof current === "number" ? [cpuStatus(current)] : [];
  const behavior = carried(annotations, "behavior");
  const conditions = carried(annotations, "conditions");
  const names: readonly string[] = Object.values(annotationOf);
  const kept = Object.entries(annotations).filter(([name]) => !names.includes(name));
  return {
    ...object,
    apiVersion: "autoscaling/v2",
    metadata: withAnnotations(object, Object.fromEntries(kept)),
    spec: { ...spec, ...(metrics.length > 0 && { metrics }), ...(behavior !== undefined && { behavior }) },
    status: {
      ...status,
      currentMetrics: measured.length > 0 ? measured : null,
      ...(conditions !== undefined && { conditions }),
    },
  };
}

function fromStored(stored: DynamicObject): DynamicObject {
  const { metrics, behavior, ...spec } = part(stored, "spec");
  const { currentMetrics, conditions, ...status } = part(stored, "status");
  const targets = objects(metrics);
  const measured = objects(currentMetrics);
  const [share] = targets.flatMap((metric) => cpuShare(metric, "target") ?? []);
  const [current] = measured.flatMap((metric) => cpuShare(metric, "current") ?? []);
  const others = targets.filter((metric) => cpuShare(metric, "target") === undefined);
  const texts: Record<string, string> = { ...stored.metadata.annotations };
  const carry = (field: Carried, value: JsonValue | undefined) => {
    if (value !== undefined && !(Array.isArray(value) && value.length === 0))
      texts[annotationOf[field]] = JSON.stringify(value);
  };
  carry(
    "metrics",
    others.map((metric) => toOlderMetric(metric, "spec")),
  );
  carry("behavior", behavior);
  carry("conditions", conditions);
  carry(
    "currentMetrics",
    measured.map((metric) => toOlderMetric(metric, "status")),
  );
  return {
    ...stored,
    apiVersion: "autoscaling/v1",
    metadata: withAnnotations(stored, texts),
    spec: { ...spec, ...(share !== undefined && { targetCPUUtilizationPercentage: share }) },
    status: {
      currentReplicas: 0,
      desiredReplicas: 0,
      ...status,
      ...(current !== undefined && { currentCPUUtilizationPercentage: current }),
    },
  };
}

const objects = (metrics: JsonValue | undefined): readonly JsonObject[] =>
  Array.isArray(metrics) ? metrics.filter(isJsonObject) : [];

const cpuMetric = (averageUtilization: number): JsonObject => ({
  type: "Resource",
  resource: { name: "cpu", target: { type: "Utilization", averageUtilization } },
});

const cpuStatus = (averageUtilization: number): JsonObject => ({
  type: "Resource",
  resource: { name: "cpu", current: { averageUtilization } },
});

/** The share of cpu that a metric is about, where it is about one. */
function cpuShare(metric: JsonObject, side: "target" | "current"): number | undefined {
  if (!isJsonObject(metric.resource) || metric.resource.name !== "cpu") return undefined;
  const value = metric.resource[side];
  return isJsonObject(value) && typeof value.averageUtilization === "number" ? value.averageUtilization : undefined;
}
