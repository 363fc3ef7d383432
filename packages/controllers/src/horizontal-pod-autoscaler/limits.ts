/**
 * From what the metrics propose to what is asked for: proposals are stabilised over time, steps are limited, and the count
 * stays between its bounds. https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/
 */
import type { HorizontalPodAutoscaler, HPAScalingRules } from "@skiff/api";

/** How long the highest proposal holds before anything is scaled down, where nothing else is said. */
const usualDownWindowMs = 5 * 60_000;

export interface Recommendation {
  readonly replicas: number;
  readonly atMs: number;
}

/** A change that was made. */
export interface ScaleEvent {
  /** Positive. */
  readonly change: number;
  readonly atMs: number;
}

/** What is remembered of an autoscaler between two looks. */
export interface Memory {
  readonly recommendations: readonly Recommendation[];
  readonly ups: readonly ScaleEvent[];
  readonly downs: readonly ScaleEvent[];
}

export const emptyMemory: Memory = { recommendations: [], ups: [], downs: [] };

export interface Told {
  readonly status: "True" | "False";
  readonly reason: string;
  readonly message: string;
}

export interface Limited {
  readonly replicas: number;
  readonly ableToScale: Told;
  readonly limited: Told;
  readonly memory: Memory;
}

interface Wanted {
  readonly autoscaler: HorizontalPodAutoscaler;
  readonly current: number;
  readonly proposed: number;
  readonly memory: Memory;
  readonly nowMs: number;
}

const ready: Told = {
  status: "True",
  reason: "ReadyForNewScale",
  message: "recommended size matches current size",
};
const downStabilized: Told = {
  status: "True",
  reason: "ScaleDownStabilized",
  message: "recent recommendations were higher than current one, applying the highest recent recommendation",
};
const upStabilized: Told = {
  status: "True",
  reason: "ScaleUpStabilized",
  message: "recent recommendations were lower than current one, applying the lowest recent recommendation",
};
const withinRange: Told = {
  status: "False",
  reason: "DesiredWithinRange",
  message: "the desired count is within the acceptable range",
};
const limitedBy = (reason: string, message: string): Told => ({ status: "True", reason, message });
const tooFew = limitedBy("TooFewReplicas", "the desired replica count is less than the minimum replica count");
const tooMany = limitedBy("TooManyReplicas", "the desired replica count is more than the maximum replica count");
const upLimit = limitedBy("ScaleUpLimit", "the desired replica count is increasing faster than the maximum scale rate");
const downLimit = limitedBy(
  "ScaleDownLimit",
  "the desired replica count is decreasing faster than the maximum scale rate",
);

/** What is asked for in the end. */
export function limitReplicas(wanted: Wanted): Limited {
  const { autoscaler, proposed, memory, nowMs, current } = wanted;
  const { scaleUp, scaleDown } = autoscaler.spec.behavior ?? {};
  const upWindowMs = (scaleUp?.stabilizationWindowSeconds ?? 0) * 1000;
  const downWindowMs =
    scaleDown?.stabilizationWindowSeconds === undefined
      ? usualDownWindowMs
      : scaleDown.stabilizationWindowSeconds * 1000;
  const recent = (windowMs: number) => memory.recommendations.filter(({ atMs }) => atMs > nowMs - windowMs);
  const lowest = Math.min(proposed, ...recent(upWindowMs).map(({ replicas }) => replicas));
  const highest = Math.max(proposed, ...recent(downWindowMs).map(({ replicas }) => replicas));
  // Upwards no faster than the lowest, downwards no faster than the highest of the recent proposals.
  const stabilized = Math.min(Math.max(current, lowest), highest);
  const ableToScale = stabilized === proposed ? ready : stabilized > proposed ? downStabilized : upStabilized;
  const keptMs = Math.max(upWindowMs, downWindowMs);
  const { replicas, limited } = inBounds(wanted, stabilized);
  return {
    replicas,
    ableToScale,
    limited,
    memory: { ...memory, recommendations: [...recent(keptMs), { replicas: proposed, atMs: nowMs }] },
  };
}

function inBounds(
  { autoscaler, current, memory, nowMs }: Wanted,
  desired: number,
): { readonly replicas: number; readonly limited: Told } {
  const { minReplicas = 1, maxReplicas, behavior } = autoscaler.spec;
  if (desired > current) {
    const limit =
      behavior === undefined
        ? Math.max(2 * current, 4)
        : Math.max(current, upLimitOf(behavior.scaleUp, { current, memory, nowMs }));
    const most = Math.min(maxReplicas, limit);
    if (desired > most) return { replicas: most, limited: maxReplicas > limit ? upLimit : tooMany };
  } else if (desired < current && behavior !== undefined) {
    const limit = Math.min(current, downLimitOf(behavior.scaleDown, { current, memory, nowMs }));
    const least = Math.max(minReplicas, limit);
    if (desired < least) return { replicas: least, limited: minReplicas < limit ? downLimit : tooFew };
  }
  if (desired < minReplicas) return { replicas: minReplicas, limited: tooFew };
  if (desired > maxReplicas) return { replicas: maxReplicas, limited: tooMany };
  return { replicas: desired, limited: withinRange };
}

interface Pace {
  readonly current: number;
  readonly memory: Memory;
  readonly nowMs: number;
}

const changed = (events: readonly ScaleEvent[], periodSeconds: number, nowMs: number): number =>
  events.filter(({ atMs }) => atMs > nowMs - periodSeconds * 1000).reduce((sum, { change }) => sum + change, 0);

function upLimitOf(rules: HPAScalingRules | undefined, { current, memory, nowMs }: Pace): number {
  if (rules?.selectPolicy === "Disabled") return current;
  const limits = (rules?.policies ?? []).map(({ type, value, periodSeconds }) => {
    const added = changed(memory.ups, periodSeconds, nowMs);
    const start = current - added + changed(memory.downs, periodSeconds, nowMs);
    return type === "Pods" ? start + value : Math.ceil(start * (1 + value / 100));
  });
  if (limits.length === 0) return Number.POSITIVE_INFINITY;
  return rules?.selectPolicy === "Min" ? Math.min(...limits) : Math.max(...limits);
}

function downLimitOf(rules: HPAScalingRules | undefined, { current, memory, nowMs }: Pace): number {
  if (rules?.selectPolicy === "Disabled") return current;
  const limits = (rules?.policies ?? []).map(({ type, value, periodSeconds }) => {
    const removed = changed(memory.downs, periodSeconds, nowMs);
    const start = current + removed - changed(memory.ups, periodSeconds, nowMs);
    return type === "Pods" ? start - value : Math.floor(start * (1 - value / 100));
  });
  if (limits.length === 0) return 0;
  return rules?.selectPolicy === "Min" ? Math.max(...limits) : Math.min(...limits);
}

/** The longest period that any policy looks back to. */
const longestPeriodMs = ({ spec }: HorizontalPodAutoscaler): number =>
  Math.max(
    0,
    ...[spec.behavior?.scaleUp, spec.behavior?.scaleDown].flatMap((rules) =>
      (rules?.policies ?? []).map(({ periodSeconds }) => periodSeconds * 1000),
    ),
  );

/** Remembers a change that was made. */
export function rememberScale(
  autoscaler: HorizontalPodAutoscaler,
  memory: Memory,
  made: { readonly from: number; readonly to: number; readonly atMs: number },
): Memory {
  const { from, to, atMs } = made;
  const kept = (events: readonly ScaleEvent[]) =>
    events.filter((event) => event.atMs > atMs - longestPeriodMs(autoscaler));
  const event = { change: Math.abs(to - from), atMs };
  return {
    ...memory,
    ups: to > from ? [...kept(memory.ups), event] : kept(memory.ups),
    downs: to < from ? [...kept(memory.downs), event] : kept(memory.downs),
  };
}
