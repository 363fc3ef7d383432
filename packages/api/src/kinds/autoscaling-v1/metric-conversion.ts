/**
 * The older form of metrics, in which each value stands beside its source and not in a `target` or `current`. Annotations carry
 * what version 1 of autoscalers has no field for in this form.
 */
import { isJsonObject, type JsonObject, type JsonValue } from "@skiff/base";

/** `spec`: what is wanted, under `target`. `status`: what was seen, under `current`. */
export type MetricSide = "spec" | "status";

const sources = ["object", "external", "pods", "resource", "containerResource"] as const;
type Source = (typeof sources)[number];

const member = (object: JsonObject, name: string): JsonObject => {
  const value = object[name];
  return isJsonObject(value) ? value : {};
};

const given = (object: Readonly<Record<string, JsonValue | undefined>>): JsonObject =>
  Object.fromEntries(Object.entries(object).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));

/** Names of the values in the older form. */
const valueNames = (side: MetricSide) =>
  side === "spec"
    ? { value: "targetValue", averageValue: "targetAverageValue", averageUtilization: "targetAverageUtilization" }
    : { value: "currentValue", averageValue: "currentAverageValue", averageUtilization: "currentAverageUtilization" };

/** From today's form to the older one. */
export function toOlderMetric(metric: JsonObject, side: MetricSide): JsonObject {
  const older: JsonObject = given({ type: metric.type });
  for (const source of sources) {
    const of = metric[source];
    if (isJsonObject(of)) older[source] = olderSource(source, of, side);
  }
  return older;
}

function olderSource(source: Source, of: JsonObject, side: MetricSide): JsonObject {
  const { value, averageValue, averageUtilization } = member(of, side === "spec" ? "target" : "current");
  const identifier = member(of, "metric");
  const names = valueNames(side);
  switch (source) {
    case "object":
      return given({
        target: member(of, "describedObject"),
        metricName: identifier.name,
        [names.value]: value ?? "0",
        selector: identifier.selector,
        averageValue,
      });
    case "external":
      return given({
        metricName: identifier.name,
        metricSelector: identifier.selector,
        [names.value]: side === "status" ? (value ?? "0") : value,
        [names.averageValue]: averageValue,
      });
    case "pods":
      return given({
        metricName: identifier.name,
        [names.averageValue]: averageValue ?? "0",
        selector: identifier.selector,
      });
    default:
      return given({
        name: of.name,
        [names.averageUtilization]: averageUtilization,
        [names.averageValue]: side === "status" ? (averageValue ?? "0") : averageValue,
        container: of.container,
      });
  }
}

/** From the older form to today's. */
export function fromOlderMetric(older: JsonValue, side: MetricSide): JsonValue {
  if (!isJsonObject(older)) return older;
  const metric: JsonObject = given({ type: older.type });
  for (const source of sources) {
    const of = older[source];
    if (isJsonObject(of)) metric[source] = todaysSource(source, of, side);
  }
  return metric;
}

function todaysSource(source: Source, of: JsonObject, side: MetricSide): JsonObject {
  const names = valueNames(side);
  const values = given({
    value: of[names.value],
    averageValue: source === "object" ? of.averageValue : of[names.averageValue],
    averageUtilization: of[names.averageUtilization],
  });
  // A zero stood for what was not there.
  if (source === "object" && values.averageValue !== undefined && values.value === "0") delete values.value;
  const kept = side === "spec" ? { target: { type: targetType(values), ...values } } : { current: values };
  const metric = given({ name: of.metricName, selector: source === "external" ? of.metricSelector : of.selector });
  switch (source) {
    case "object":
      return { describedObject: member(of, "target"), metric, ...kept };
    case "external":
    case "pods":
      return { metric, ...kept };
    default:
      return { ...given({ name: of.name, container: of.container }), ...kept };
  }
}

function targetType(values: JsonObject): string {
  if (values.averageUtilization !== undefined) return "Utilization";
  return values.averageValue === undefined ? "Value" : "AverageValue";
}
