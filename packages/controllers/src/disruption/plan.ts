import { type Condition, type Pod, type PodDisruptionBudget, podReady, scaledValue } from "@skiff/api";
import { timestamp } from "@skiff/base";

/** A pod that was to be evicted and is still there after so long will not go any more. */
const evictionLimitMs = 2 * 60_000;

/** How many pods there should be, over all controllers of the budget's pods. */
export type ExpectedScale =
  | { readonly kind: "known"; readonly pods: number }
  | { readonly kind: "failed"; readonly message: string };

export interface Observed {
  readonly budget: PodDisruptionBudget;
  /** All that it selects. */
  readonly pods: readonly Pod[];
  readonly scale: ExpectedScale;
  readonly nowMs: number;
}

export interface BudgetPlan {
  readonly status: PodDisruptionBudget["status"];
  /** Pods whose eviction did not take place. */
  readonly notDeleted: readonly Pod[];
  /** When the next of the evicted pods counts as staying. */
  readonly recheckMs: number | undefined;
}

/** True when the budget has to know how many pods there should be. */
export const needsScale = ({ spec }: PodDisruptionBudget): boolean =>
  spec.maxUnavailable !== undefined || typeof spec.minAvailable === "string";

/** How many pods may be evicted now. https://kubernetes.io/docs/tasks/run-application/configure-pdb/ */
export function planBudget(observed: Observed): BudgetPlan {
  const { budget, pods, scale, nowMs } = observed;
  const { spec, metadata } = budget;
  const old = budget.status ?? {};
  if (scale.kind === "failed") {
    const failed = { status: "False", reason: "SyncFailed", message: scale.message };
    const conditions = conditionsWith(budget, failed, nowMs);
    return { status: { ...old, disruptionsAllowed: 0, conditions }, notDeleted: [], recheckMs: undefined };
  }
  const expected = typeof spec.minAvailable === "number" ? pods.length : scale.pods;
  const desired =
    spec.maxUnavailable !== undefined
      ? Math.max(0, expected - scaledValue(spec.maxUnavailable, expected, "up"))
      : scaledValue(spec.minAvailable ?? 0, expected, "up");
  const evictions = stillLeaving(observed);
  const healthy = pods.filter(
    (pod) =>
      pod.metadata.deletionTimestamp === undefined && !(pod.metadata.name in evictions.disruptedPods) && podReady(pod),
  ).length;
  const allowed = expected <= 0 ? 0 : Math.max(0, healthy - desired);
  const { disruptedPods } = evictions;
  const told =
    allowed > 0
      ? { status: "True", reason: "SufficientPods", message: "" }
      : { status: "False", reason: "InsufficientPods", message: "" };
  return {
    status: {
      disruptionsAllowed: allowed,
      currentHealthy: healthy,
      desiredHealthy: desired,
      expectedPods: expected,
      observedGeneration: metadata.generation,
      conditions: conditionsWith(budget, told, nowMs),
      ...(Object.keys(disruptedPods).length > 0 && { disruptedPods }),
    },
    notDeleted: evictions.notDeleted,
    recheckMs: evictions.recheckMs,
  };
}

/** Evicted pods count as gone until they are, or until it is clear that they stay. */
function stillLeaving({ budget, pods, nowMs }: Observed) {
  const disruptedPods: Record<string, string> = {};
  const notDeleted: Pod[] = [];
  const waits: number[] = [];
  for (const pod of pods) {
    const since = budget.status?.disruptedPods?.[pod.metadata.name];
    if (since === undefined || pod.metadata.deletionTimestamp !== undefined) continue;
    const leftMs = Date.parse(since) + evictionLimitMs - nowMs;
    if (leftMs <= 0) notDeleted.push(pod);
    else {
      disruptedPods[pod.metadata.name] = since;
      waits.push(leftMs);
    }
  }
  return { disruptedPods, notDeleted, recheckMs: waits.length === 0 ? undefined : Math.min(...waits) };
}

function conditionsWith(
  { metadata, status }: PodDisruptionBudget,
  told: Pick<Condition, "status" | "reason" | "message">,
  nowMs: number,
): Condition[] {
  const type = "DisruptionAllowed";
  const before = status?.conditions?.find((condition) => condition.type === type);
  const since = before?.status === told.status ? before.lastTransitionTime : timestamp(nowMs);
  const made: Condition = {
    type,
    ...told,
    lastTransitionTime: since,
    ...(metadata.generation !== undefined && { observedGeneration: metadata.generation }),
  };
  return [...(status?.conditions ?? []).filter((condition) => condition.type !== type), made];
}
