import { fieldError } from "../../field-error.ts";
import type { PodDisruptionBudget } from "../../generated/types/policy-v1.ts";
import { checkNonNegative, type Findings } from "../../validation/checks.ts";
import { checkConditions } from "../../validation/conditions.ts";
import { checkLabelSelector } from "../../validation/labels.ts";
import { checkAtMostAll, checkPositiveIntOrPercent } from "../apps-v1/workload-validation.ts";

const policies = ["AlwaysAllow", "IfHealthyBudget"];

/** A budget of disruptions. */
export function* checkBudget({ spec }: PodDisruptionBudget): Findings {
  const { minAvailable, maxUnavailable, selector, unhealthyPodEvictionPolicy: policy } = spec;
  if (minAvailable !== undefined && maxUnavailable !== undefined) {
    yield fieldError.invalid("spec", spec, "minAvailable and maxUnavailable cannot be both set");
  }
  for (const [name, value] of Object.entries({ minAvailable, maxUnavailable })) {
    yield* checkPositiveIntOrPercent(`spec.${name}`, value);
    yield* checkAtMostAll(`spec.${name}`, value);
  }
  yield* checkLabelSelector("spec.selector", selector);
  if (policy !== undefined && !policies.includes(policy)) {
    yield fieldError.notSupported("spec.unhealthyPodEvictionPolicy", policy, policies);
  }
}

/** A report of what a budget allows. */
export function* checkBudgetStatus({ status }: PodDisruptionBudget): Findings {
  yield* checkConditions("status.conditions", status.conditions);
  for (const name of ["disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods"] as const) {
    yield* checkNonNegative(`status.${name}`, status[name]);
  }
}
