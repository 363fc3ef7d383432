import {
  labelsSelector,
  type Pod,
  podReady,
  type ReplicaSet,
  type ReplicaSetCondition,
  type ReplicaSetStatus,
  type ReplicationController,
} from "@skiff/api";
import { timestamp } from "@skiff/base";
import { unlessZero } from "../counts.ts";
import { availableInMs, isPodActive } from "../pods.ts";
import { type Crowding, deletionOrder } from "./deletion-order.ts";

/** No more pods are made or deleted in one go. */
export const burstLimit = 500;

export interface ReplicasPlan {
  /** How many pods to make. */
  readonly create: number;
  readonly remove: readonly Pod[];
}

/** What has to be made or deleted so that as many pods are active as the set asks for. */
export function planReplicas(
  set: ReplicaSet | ReplicationController,
  active: readonly Pod[],
  ranking: { crowding: Crowding; nowMs: number },
): ReplicasPlan {
  if (set.metadata.deletionTimestamp !== undefined) return { create: 0, remove: [] };
  const surplus = active.length - (set.spec.replicas ?? 1);
  if (surplus <= 0) return { create: Math.min(-surplus, burstLimit), remove: [] };
  const order = deletionOrder(ranking.crowding, ranking.nowMs);
  return { create: 0, remove: [...active].sort(order).slice(0, Math.min(surplus, burstLimit)) };
}

/** Why the set does not get its pods. */
export interface ReplicaFailure {
  readonly reason: "FailedCreate" | "FailedDelete";
  readonly message: string;
}

export interface StatusPlan {
  readonly status: ReplicaSetStatus;
  /** When a ready pod becomes available without anything happening. */
  readonly recheckMs: number | undefined;
}

/** The status that the pods amount to; `pods` are all that the set owns. */
export function planStatus(observed: {
  readonly set: ReplicaSet | ReplicationController;
  readonly pods: readonly Pod[];
  readonly failure: ReplicaFailure | undefined;
  readonly nowMs: number;
}): StatusPlan {
  const { set, pods, failure, nowMs } = observed;
  const active = pods.filter(isPodActive);
  const templateLabels = labelsSelector(set.spec.template?.metadata?.labels);
  const waits = active.map((pod) => availableInMs(pod, set.spec.minReadySeconds ?? 0, nowMs));
  const pending = waits.filter((wait) => wait !== undefined && wait > 0);
  const conditions = conditionsWith(set.status?.conditions ?? [], failure, nowMs);
  const terminating = pods.filter(
    (pod) => pod.metadata.deletionTimestamp !== undefined && !["Succeeded", "Failed"].includes(pod.status?.phase ?? ""),
  );
  return {
    status: {
      replicas: active.length,
      fullyLabeledReplicas: unlessZero(active.filter(({ metadata }) => templateLabels.matches(metadata.labels)).length),
      readyReplicas: unlessZero(active.filter(podReady).length),
      availableReplicas: unlessZero(waits.filter((wait) => wait === 0).length),
      terminatingReplicas: terminating.length,
      ...(set.metadata.generation === undefined ? {} : { observedGeneration: set.metadata.generation }),
      ...(conditions.length === 0 ? {} : { conditions }),
    },
    recheckMs: pending.length === 0 ? undefined : Math.min(...pending.map((wait) => wait ?? 0)),
  };
}

function conditionsWith(
  conditions: readonly ReplicaSetCondition[],
  failure: ReplicaFailure | undefined,
  nowMs: number,
): ReplicaSetCondition[] {
  const others = conditions.filter(({ type }) => type !== "ReplicaFailure");
  if (failure === undefined) return others;
  const before = conditions.find(({ type }) => type === "ReplicaFailure");
  // The first failure is told: later ones of the same kind do not change the condition.
  if (before?.status === "True" && before.reason === failure.reason) return [...others, before];
  return [...others, { type: "ReplicaFailure", status: "True", lastTransitionTime: timestamp(nowMs), ...failure }];
}
