import { fieldError } from "../../field-error.ts";
import type {
  ContainerResourceMetricSource,
  MetricIdentifier,
  MetricSpec,
  MetricTarget,
} from "../../generated/types/autoscaling-v2.ts";
import { compareQuantities } from "../../quantity.ts";
import { checkDnsLabel, type Findings, invalidFor } from "../../validation/checks.ts";
import { pathSegmentName } from "../../validation/names.ts";
import { checkContainerResourceName } from "../core-v1/resource-validation.ts";
import { checkReference } from "./autoscaler-validation.ts";

const fieldOfType: Readonly<Record<string, keyof MetricSpec>> = {
  ContainerResource: "containerResource",
  External: "external",
  Object: "object",
  Pods: "pods",
  Resource: "resource",
};
const types = Object.keys(fieldOfType);

/** What an autoscaler looks at. */
export function* checkMetrics(
  field: string,
  metrics: readonly MetricSpec[],
  minReplicas: number | undefined,
): Findings {
  for (const [index, metric] of metrics.entries()) yield* checkMetric(`${field}[${index}]`, metric);
  // Where no pod runs, only what others measure can tell that one is needed.
  if (minReplicas !== 0 || metrics.some(({ type }) => type === "Object" || type === "External")) return;
  const message = "must specify at least one Object or External metric to support scaling to zero replicas";
  yield fieldError.forbidden(field, message);
}

function* checkMetric(field: string, metric: MetricSpec): Findings {
  const { type = "" } = metric;
  if (type === "") yield fieldError.required(`${field}.type`, "must specify a metric source type");
  const expected = fieldOfType[type];
  if (expected === undefined) yield fieldError.notSupported(`${field}.type`, type, types);
  const present = (["object", "external", "pods", "resource", "containerResource"] as const).filter(
    (name) => metric[name] !== undefined,
  );
  const [first] = present;
  if (first !== undefined) yield* checkSource(`${field}.${first}`, metric, first);
  if (expected === undefined) yield fieldError.notSupported(`${field}.type`, type, types);
  else if (metric[expected] === undefined) {
    yield fieldError.required(`${field}.${expected}`, "must populate information for the given metric source");
  }
  if (present.length === 1) return;
  for (const name of present) {
    if (name === expected) continue;
    yield fieldError.forbidden(`${field}.${name}`, "must populate the given metric source only");
  }
}

function* checkSource(
  field: string,
  metric: MetricSpec,
  source: "object" | "external" | "pods" | "resource" | "containerResource",
): Findings {
  const { object, external, pods, resource, containerResource } = metric;
  const average = `${field}.target.averageValue`;
  if (source === "object" && object) {
    yield* checkReference(`${field}.describedObject`, object.describedObject);
    yield* checkIdentifier(`${field}.metric`, object.metric);
    yield* checkTarget(`${field}.target`, object.target);
    if (isSet(object.target?.value) || isSet(object.target?.averageValue)) return;
    yield fieldError.required(average, "must set either a target value or averageValue");
  } else if (source === "external" && external) {
    yield* checkIdentifier(`${field}.metric`, external.metric);
    yield* checkTarget(`${field}.target`, external.target);
    const { value, averageValue } = external.target ?? {};
    if (!isSet(value) && !isSet(averageValue)) {
      yield fieldError.required(average, "must set either a target value for metric or a per-pod target");
    }
    if (isSet(value) && isSet(averageValue)) {
      const message = "may not set both a target value for metric and a per-pod target";
      yield fieldError.forbidden(`${field}.target.value`, message);
    }
  } else if (source === "pods" && pods) {
    yield* checkIdentifier(`${field}.metric`, pods.metric);
    yield* checkTarget(`${field}.target`, pods.target);
    if (!isSet(pods.target?.averageValue)) {
      yield fieldError.required(average, "must specify a positive target averageValue");
    }
  } else if (source === "resource" && resource) {
    if (!resource.name) yield fieldError.required(`${field}.name`, "must specify a resource name");
    yield* checkResourceTarget(`${field}.target`, resource.target);
  } else if (containerResource) yield* checkContainerResource(field, containerResource);
}

const isSet = (value: unknown): boolean => value !== undefined;

function* checkContainerResource(field: string, source: ContainerResourceMetricSource): Findings {
  if (!source.name) yield fieldError.required(`${field}.name`, "must specify a resource name");
  else yield* checkContainerResourceName(`${field}.name`, source.name);
  if (!source.container) yield fieldError.required(`${field}.container`, "must specify a container");
  else yield* checkDnsLabel(`${field}.container`, source.container);
  yield* checkResourceTarget(`${field}.target`, source.target);
}

/** Either a share of what is requested or an amount. */
function* checkResourceTarget(field: string, target: MetricTarget): Findings {
  yield* checkTarget(field, target);
  const { averageUtilization, averageValue } = target ?? {};
  if (!isSet(averageUtilization) && !isSet(averageValue)) {
    const message = "must set either a target raw value or a target utilization";
    yield fieldError.required(`${field}.averageUtilization`, message);
  }
  if (isSet(averageUtilization) && isSet(averageValue)) {
    const message = "may not set both a target raw value and a target utilization";
    yield fieldError.forbidden(`${field}.averageValue`, message);
  }
}

function* checkTarget(field: string, target: MetricTarget): Findings {
  const { type = "", value, averageValue, averageUtilization } = target ?? {};
  if (type === "") yield fieldError.required(`${field}.type`, "must specify a metric target type");
  if (!["Utilization", "Value", "AverageValue"].includes(type)) {
    yield fieldError.invalid(`${field}.type`, type, "must be either Utilization, Value, or AverageValue");
  }
  for (const [name, amount] of Object.entries({ value, averageValue })) {
    if (amount === undefined || compareQuantities(amount, "0") > 0) continue;
    yield fieldError.invalid(`${field}.${name}`, amount, "must be positive");
  }
  if (averageUtilization !== undefined && averageUtilization < 1) {
    yield fieldError.invalid(`${field}.averageUtilization`, averageUtilization, "must be greater than 0");
  }
}

function* checkIdentifier(field: string, identifier: MetricIdentifier): Findings {
  const name = identifier?.name;
  if (!name) yield fieldError.required(`${field}.name`, "must specify a metric name");
  else yield* invalidFor(`${field}.name`, name, pathSegmentName(name, false));
}
