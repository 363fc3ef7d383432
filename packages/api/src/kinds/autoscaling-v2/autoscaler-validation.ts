import { fieldError } from "../../field-error.ts";
import type {
  CrossVersionObjectReference,
  HorizontalPodAutoscaler,
  HPAScalingPolicy,
  HPAScalingRules,
} from "../../generated/types/autoscaling-v2.ts";
import { compareQuantities } from "../../quantity.ts";
import { checkNonNegative, type Findings, invalidFor, notNegativeMessage } from "../../validation/checks.ts";
import { pathSegmentName } from "../../validation/names.ts";
import { checkMetrics } from "./metric-validation.ts";

const most = { periodSeconds: 1800, windowSeconds: 3600 };

/** An autoscaler; `old` is absent for a new one. */
export function* checkAutoscaler(
  { spec }: HorizontalPodAutoscaler,
  old: HorizontalPodAutoscaler | undefined,
): Findings {
  const { minReplicas, maxReplicas = 0, behavior } = spec;
  // Scaling to nothing is let in only where it was let in before.
  const least = old?.spec.minReplicas === 0 ? 0 : 1;
  if (minReplicas !== undefined && minReplicas < least) {
    yield fieldError.invalid("spec.minReplicas", minReplicas, `must be greater than or equal to ${least}`);
  }
  if (maxReplicas < 1) yield fieldError.invalid("spec.maxReplicas", maxReplicas, "must be greater than 0");
  if (minReplicas !== undefined && maxReplicas < minReplicas) {
    yield fieldError.invalid("spec.maxReplicas", maxReplicas, "must be greater than or equal to `minReplicas`");
  }
  yield* checkReference("spec.scaleTargetRef", spec.scaleTargetRef);
  yield* checkMetrics("spec.metrics", spec.metrics ?? [], minReplicas);
  if (behavior?.scaleUp) yield* checkRules("spec.behavior.scaleUp", behavior.scaleUp);
  if (behavior?.scaleDown) yield* checkRules("spec.behavior.scaleDown", behavior.scaleDown);
}

/** An object by kind and name, each of them one step of a path. */
export function* checkReference(field: string, reference: CrossVersionObjectReference | undefined): Findings {
  for (const name of ["kind", "name"] as const) {
    const value = reference?.[name];
    if (!value) yield fieldError.required(`${field}.${name}`);
    else yield* invalidFor(`${field}.${name}`, value, pathSegmentName(value, false));
  }
}

function* checkRules(field: string, rules: HPAScalingRules): Findings {
  const { stabilizationWindowSeconds: window, selectPolicy, policies = [], tolerance } = rules;
  const path = `${field}.stabilizationWindowSeconds`;
  if (window !== undefined && window < 0) {
    yield fieldError.invalid(path, window, "must be greater than or equal to zero");
  }
  if (window !== undefined && window > most.windowSeconds) {
    yield fieldError.invalid(path, window, `must be less than or equal to ${most.windowSeconds}`);
  }
  if (selectPolicy !== undefined && !["Disabled", "Max", "Min"].includes(selectPolicy)) {
    yield fieldError.notSupported(`${field}.selectPolicy`, selectPolicy, ["Disabled", "Max", "Min"]);
  }
  if (policies.length === 0) yield fieldError.required(`${field}.policies`, "must specify at least one Policy");
  for (const [index, policy] of policies.entries()) yield* checkPolicy(`${field}.policies[${index}]`, policy);
  if (tolerance !== undefined && compareQuantities(tolerance, "0") < 0) {
    yield fieldError.invalid(`${field}.tolerance`, tolerance, notNegativeMessage);
  }
}

function* checkPolicy(field: string, { type, value, periodSeconds }: HPAScalingPolicy): Findings {
  if (type !== "Pods" && type !== "Percent") {
    yield fieldError.notSupported(`${field}.type`, type ?? "", ["Percent", "Pods"]);
  }
  if (!(value > 0)) yield fieldError.invalid(`${field}.value`, value ?? 0, "must be greater than zero");
  const path = `${field}.periodSeconds`;
  if (!(periodSeconds > 0)) yield fieldError.invalid(path, periodSeconds ?? 0, "must be greater than zero");
  if (periodSeconds > most.periodSeconds) {
    yield fieldError.invalid(path, periodSeconds, `must be less than or equal to ${most.periodSeconds}`);
  }
}

/** A report of an autoscaler's state. */
export function* checkAutoscalerStatus({ status }: HorizontalPodAutoscaler): Findings {
  yield* checkNonNegative("status.currentReplicas", status.currentReplicas);
  yield* checkNonNegative("status.desiredReplicas", status.desiredReplicas);
}
