import type { JsonObject } from "@skiff/base";
import type { DynamicObject } from "../../object.ts";
import { objectIn, objectsIn, rename } from "./members.ts";
import type { OldForm } from "./removed-version.ts";

/** The members of a metric's source that hold figures, old name and today's, in a spec and in a status. */
const targetFields = [
  ["targetAverageUtilization", "averageUtilization", "Utilization"],
  ["targetAverageValue", "averageValue", "AverageValue"],
  ["averageValue", "averageValue", "AverageValue"],
  ["targetValue", "value", "Value"],
] as const;
const currentFields = [
  ["currentAverageUtilization", "averageUtilization", ""],
  ["currentAverageValue", "averageValue", ""],
  ["averageValue", "averageValue", ""],
  ["currentValue", "value", ""],
] as const;

const sources = ["resource", "containerResource", "pods", "object", "external"];
const byMetricName = new Set(["pods", "object", "external"]);

type Fields = typeof targetFields | typeof currentFields;

function sourceToToday(name: string, source: JsonObject, side: "target" | "current"): void {
  const fields: Fields = side === "target" ? targetFields : currentFields;
  // An object's `target` is what is measured, not how much.
  if (name === "object") rename(source, "target", "describedObject");
  const figures: JsonObject = {};
  for (const [old, today, type] of fields) {
    const value = source[old];
    if (value === undefined) continue;
    delete source[old];
    if (type !== "") figures.type ||= type;
    // What is zero only because it has to be there says nothing where there is an average.
    if (!(today === "value" && "averageValue" in figures && value === "0")) figures[today] = value;
  }
  source[side] = figures;
  if (!byMetricName.has(name)) return;
  const selector = source.selector ?? source.metricSelector;
  source.metric = { name: source.metricName ?? "", ...(selector !== undefined && { selector }) };
  for (const old of ["metricName", "selector", "metricSelector"]) delete source[old];
}

function sourceFromToday(name: string, source: JsonObject, side: "target" | "current"): void {
  const fields: Fields = side === "target" ? targetFields : currentFields;
  const figures = objectIn(source, side);
  delete source[side];
  const averageIsPlain = name === "object";
  for (const [old, today] of fields) {
    if (today === "averageValue" && averageIsPlain !== (old === "averageValue")) continue;
    const value = figures[today];
    if (value !== undefined) source[old] = value;
  }
  if (!byMetricName.has(name)) return;
  const { name: metricName = "", selector } = objectIn(source, "metric");
  delete source.metric;
  source.metricName = metricName;
  if (selector !== undefined) source[name === "external" ? "metricSelector" : "selector"] = selector;
  if (name === "object") rename(source, "describedObject", "target");
}

type Convert = (name: string, source: JsonObject, side: "target" | "current") => void;

function eachSource(object: DynamicObject, convert: Convert): DynamicObject {
  const lists = [
    [objectsIn(objectIn(object, "spec"), "metrics"), "target"],
    [objectsIn(objectIn(object, "status"), "currentMetrics"), "current"],
  ] as const;
  for (const [metrics, side] of lists) {
    for (const metric of metrics) {
      for (const name of sources) if (name in metric) convert(name, objectIn(metric, name), side);
    }
  }
  return object;
}

/** `autoscaling/v2beta1`: `resource.targetAverageUtilization` is `resource.target.averageUtilization` today. */
export const firstAutoscaler: OldForm = {
  schema: "autoscaling.v2beta1.HorizontalPodAutoscaler",
  toToday: (autoscaler) => eachSource(autoscaler, sourceToToday),
  fromToday: (autoscaler) => eachSource(autoscaler, sourceFromToday),
};
