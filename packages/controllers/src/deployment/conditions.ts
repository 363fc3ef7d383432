import type { Deployment, DeploymentCondition, DeploymentStatus } from "@skiff/api";
import { timestamp } from "@skiff/base";

/** A condition before it has its times. */
export interface Finding {
  readonly type: "Available" | "Progressing" | "ReplicaFailure";
  readonly status: "True" | "False" | "Unknown";
  readonly reason: string;
  readonly message: string;
}

/** "Never" is the largest 32-bit number, and what an absent deadline means. */
const noDeadlineSeconds = 2 ** 31 - 1;

export const hasDeadline = ({ spec }: Deployment): boolean =>
  spec.progressDeadlineSeconds !== undefined && spec.progressDeadlineSeconds !== noDeadlineSeconds;

export const conditionOf = (
  conditions: readonly DeploymentCondition[] | undefined,
  type: Finding["type"],
): DeploymentCondition | undefined => conditions?.find((condition) => condition.type === type);

/** The same finding again changes nothing, not even its message; a new reason keeps the time of the last transition. */
export function withFinding(
  conditions: readonly DeploymentCondition[],
  finding: Finding,
  nowMs: number,
): DeploymentCondition[] {
  const before = conditionOf(conditions, finding.type);
  if (before?.status === finding.status && before.reason === finding.reason) return [...conditions];
  return renewed(conditions, finding, nowMs);
}

/** As `withFinding`, but the same finding counts as news: its update time moves. */
export function renewed(
  conditions: readonly DeploymentCondition[],
  finding: Finding,
  nowMs: number,
): DeploymentCondition[] {
  const before = conditionOf(conditions, finding.type);
  const now = timestamp(nowMs);
  const lastTransitionTime = before?.status === finding.status ? (before.lastTransitionTime ?? now) : now;
  return [...without(conditions, finding.type), { ...finding, lastUpdateTime: now, lastTransitionTime }];
}

export const without = (conditions: readonly DeploymentCondition[], type: Finding["type"]): DeploymentCondition[] =>
  conditions.filter((condition) => condition.type !== type);

/** True when the rollout has reached what was asked for. */
export function isComplete({ spec, metadata }: Deployment, status: DeploymentStatus): boolean {
  const desired = spec.replicas ?? 1;
  return (
    (status.updatedReplicas ?? 0) === desired &&
    (status.replicas ?? 0) === desired &&
    (status.availableReplicas ?? 0) === desired &&
    (status.observedGeneration ?? 0) >= (metadata.generation ?? 0)
  );
}

/** True when the rollout has come nearer to its end since `before`. */
export function isProgressing(before: DeploymentStatus, now: DeploymentStatus): boolean {
  const old = (status: DeploymentStatus) => (status.replicas ?? 0) - (status.updatedReplicas ?? 0);
  return (
    (now.updatedReplicas ?? 0) > (before.updatedReplicas ?? 0) ||
    old(now) < old(before) ||
    (now.readyReplicas ?? 0) > (before.readyReplicas ?? 0) ||
    (now.availableReplicas ?? 0) > (before.availableReplicas ?? 0)
  );
}

/** Milliseconds until the rollout counts as stuck (0 or less: it does); `undefined`: it cannot get stuck. */
export function deadlineInMs(
  deployment: Deployment,
  conditions: readonly DeploymentCondition[],
  nowMs: number,
): number | undefined {
  const progressing = conditionOf(conditions, "Progressing");
  if (!hasDeadline(deployment) || progressing === undefined) return undefined;
  if (progressing.reason === "NewReplicaSetAvailable") return undefined;
  if (progressing.reason === "ProgressDeadlineExceeded") return 0;
  const since = Date.parse(progressing.lastUpdateTime ?? "");
  return since + (deployment.spec.progressDeadlineSeconds ?? 0) * 1000 - nowMs;
}
