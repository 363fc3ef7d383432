import type { Deployment, DeploymentCondition, DeploymentStatus } from "@skiff/api";
import { sum, unlessZero } from "../counts.ts";
import {
  conditionOf,
  deadlineInMs,
  hasDeadline,
  isComplete,
  isProgressing,
  renewed,
  withFinding,
  without,
} from "./conditions.ts";
import { availableOf, type Revision } from "./revision.ts";
import { desiredOf, leewayOf } from "./strategy.ts";

interface Observed {
  readonly deployment: Deployment;
  /** Conditions so far in this plan. */
  readonly conditions: readonly DeploymentCondition[];
  readonly current: Revision | undefined;
  readonly all: readonly Revision[];
  readonly nowMs: number;
}

/** Counts, and whether enough pods are available. */
export function countedStatus({ deployment, conditions, current, all, nowMs }: Observed): DeploymentStatus {
  const available = sum(all, availableOf);
  const actual = (revision: Revision | undefined) => revision?.set?.status?.replicas ?? 0;
  const enough = available >= desiredOf(deployment) - leewayOf(deployment).maxUnavailable;
  const { generation } = deployment.metadata;
  const { collisionCount } = deployment.status ?? {};
  return {
    observedGeneration: generation,
    replicas: unlessZero(sum(all, actual)),
    updatedReplicas: unlessZero(actual(current)),
    readyReplicas: unlessZero(sum(all, ({ set }) => set?.status?.readyReplicas ?? 0)),
    availableReplicas: unlessZero(available),
    unavailableReplicas: unlessZero(Math.max(0, sum(all, ({ replicas }) => replicas) - available)),
    terminatingReplicas: terminatingIn(all),
    collisionCount,
    conditions: withFinding(
      conditions,
      enough
        ? {
            type: "Available",
            status: "True",
            reason: "MinimumReplicasAvailable",
            message: "Deployment has minimum availability.",
          }
        : {
            type: "Available",
            status: "False",
            reason: "MinimumReplicasUnavailable",
            message: "Deployment does not have minimum availability.",
          },
      nowMs,
    ),
  };
}

/** Unknown as long as one of the sets has not told. */
function terminatingIn(all: readonly Revision[]): number | undefined {
  let total = 0;
  for (const { set } of all) {
    const count = set?.status?.terminatingReplicas;
    if (count === undefined) return undefined;
    total += count;
  }
  return total;
}

/** Counts, availability, and how the rollout gets on: what `kubectl rollout status` reads. */
export function rolloutStatus(observed: Observed): { status: DeploymentStatus; recheckMs: number | undefined } {
  const { deployment, nowMs } = observed;
  const status = countedStatus(observed);
  const conditions = withFailure(withProgress(observed, status), observed);
  return { status: { ...status, conditions }, recheckMs: recheckIn(deployment, { ...status, conditions }, nowMs) };
}

function withProgress({ deployment, current, nowMs }: Observed, status: DeploymentStatus): DeploymentCondition[] {
  const conditions = status.conditions ?? [];
  if (!hasDeadline(deployment)) return without(conditions, "Progressing");
  const before = conditionOf(conditions, "Progressing");
  const settled = status.replicas === status.updatedReplicas && before?.reason === "NewReplicaSetAvailable";
  if (settled) return [...conditions];
  const type = "Progressing";
  const about =
    current === undefined
      ? `Deployment ${JSON.stringify(deployment.metadata.name)}`
      : `ReplicaSet ${JSON.stringify(current.name)}`;
  if (isComplete(deployment, status)) {
    const message = `${about} has successfully progressed.`;
    return withFinding(conditions, { type, status: "True", reason: "NewReplicaSetAvailable", message }, nowMs);
  }
  if (isProgressing(deployment.status ?? {}, status)) {
    const message = `${about} is progressing.`;
    return renewed(conditions, { type, status: "True", reason: "ReplicaSetUpdated", message }, nowMs);
  }
  const leftMs = deadlineInMs(deployment, conditions, nowMs);
  if (leftMs !== undefined && leftMs <= 0) {
    const message = `${about} has timed out progressing.`;
    return withFinding(conditions, { type, status: "False", reason: "ProgressDeadlineExceeded", message }, nowMs);
  }
  return [...conditions];
}

/** The first failure to make pods, of the current revision before the others. */
function withFailure(
  conditions: readonly DeploymentCondition[],
  { current, all, nowMs }: Observed,
): DeploymentCondition[] {
  const ordered = current === undefined ? all : [current, ...all.filter(({ name }) => name !== current.name)];
  const failure = ordered
    .flatMap(({ set }) => set?.status?.conditions ?? [])
    .find(({ type, status }) => type === "ReplicaFailure" && status === "True");
  if (failure === undefined) return without(conditions, "ReplicaFailure");
  const { reason = "", message = "" } = failure;
  return withFinding(conditions, { type: "ReplicaFailure", status: "True", reason, message }, nowMs);
}

/** When a rollout that stands still will have to be called stuck. */
function recheckIn(deployment: Deployment, status: DeploymentStatus, nowMs: number): number | undefined {
  const progressing = conditionOf(status.conditions, "Progressing");
  if (progressing?.reason === "ProgressDeadlineExceeded" || isComplete(deployment, status)) return undefined;
  const leftMs = deadlineInMs(deployment, status.conditions ?? [], nowMs);
  return leftMs === undefined ? undefined : Math.max(leftMs, 0) + 1000;
}
