import { fieldError } from "../../field-error.ts";
import type { Deployment, DeploymentStrategy } from "../../generated/types/apps-v1.ts";
import { checkNonNegative, type Findings } from "../../validation/checks.ts";
import {
  checkAtMostAll,
  checkNotDecremented,
  checkPositiveIntOrPercent,
  checkReplicaCounts,
  checkSelectorAndTemplate,
  isNone,
} from "./workload-validation.ts";

export function* checkDeployment({ spec }: Deployment): Findings {
  yield* checkNonNegative("spec.replicas", spec.replicas);
  const { selector, template } = spec;
  yield* checkSelectorAndTemplate({ selector, template, kind: "ReplicaSet", emptyFor: "deployment" });
  yield* checkStrategy(spec.strategy ?? {});
  yield* checkNonNegative("spec.minReadySeconds", spec.minReadySeconds);
  yield* checkNonNegative("spec.revisionHistoryLimit", spec.revisionHistoryLimit);
  const deadline = spec.progressDeadlineSeconds;
  if (deadline === undefined) return;
  yield* checkNonNegative("spec.progressDeadlineSeconds", deadline);
  if (deadline <= (spec.minReadySeconds ?? 0)) {
    yield fieldError.invalid("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds");
  }
}

function* checkStrategy(strategy: DeploymentStrategy): Findings {
  const { type, rollingUpdate } = strategy;
  const field = "spec.strategy.rollingUpdate";
  if (type === "Recreate") {
    if (rollingUpdate) yield fieldError.forbidden(field, "may not be specified when strategy `type` is 'Recreate'");
    return;
  }
  if (type !== "RollingUpdate") {
    return yield fieldError.notSupported("spec.strategy", strategy, ["Recreate", "RollingUpdate"]);
  }
  if (!rollingUpdate) return yield fieldError.required(field, "this should be defaulted and never be nil");
  const { maxUnavailable, maxSurge } = rollingUpdate;
  yield* checkPositiveIntOrPercent(`${field}.maxUnavailable`, maxUnavailable);
  yield* checkPositiveIntOrPercent(`${field}.maxSurge`, maxSurge);
  if (isNone(maxUnavailable) && isNone(maxSurge)) {
    yield fieldError.invalid(`${field}.maxUnavailable`, maxUnavailable, "may not be 0 when `maxSurge` is 0");
  }
  yield* checkAtMostAll(`${field}.maxUnavailable`, maxUnavailable);
}

export function* checkDeploymentStatusUpdate({ status }: Deployment, old: Deployment): Findings {
  yield* checkReplicaCounts({ ...status }, ["updatedReplicas", "readyReplicas", "availableReplicas"]);
  yield* checkNonNegative("status.unavailableReplicas", status.unavailableReplicas);
  yield* checkNotDecremented("status.collisionCount", status.collisionCount, old.status?.collisionCount);
}
