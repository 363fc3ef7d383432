import { type Pod, podCondition } from "@skiff/api";
import type { PodSamples } from "./metrics-source.ts";

/** A pod's first minutes of cpu say little of its later ones. */
const cpuInitializationMs = 5 * 60_000;
/** A pod that was never ready for so long has just not started yet. */
const initialReadinessMs = 30_000;

/** Which pods' figures count, and how. */
export interface PodGroups {
  readonly ready: number;
  /** Not ready yet: their cpu counts as none, if at all. */
  readonly unready: ReadonlySet<string>;
  /** Without figures. */
  readonly missing: ReadonlySet<string>;
  /** Failed or going. */
  readonly ignored: ReadonlySet<string>;
}

/** Sorts pods by what their figures say. */
export function groupPods(
  pods: readonly Pod[],
  samples: PodSamples,
  { resource, nowMs }: { readonly resource: string; readonly nowMs: number },
): PodGroups {
  const unready = new Set<string>();
  const missing = new Set<string>();
  const ignored = new Set<string>();
  let ready = 0;
  for (const pod of pods) {
    const { name } = pod.metadata;
    const sample = samples.get(name);
    if (pod.metadata.deletionTimestamp !== undefined || pod.status?.phase === "Failed") ignored.add(name);
    else if (pod.status?.phase === "Pending") unready.add(name);
    else if (sample === undefined) missing.add(name);
    else if (resource === "cpu" && isStarting(pod, { sampledMs: sample.atMs, windowMs: sample.windowMs, nowMs })) {
      unready.add(name);
    } else ready++;
  }
  return { ready, unready, missing, ignored };
}

function isStarting(
  pod: Pod,
  at: { readonly sampledMs: number; readonly windowMs: number; readonly nowMs: number },
): boolean {
  const condition = podCondition(pod, "Ready");
  const startedMs = Date.parse(pod.status?.startTime ?? "");
  if (condition === undefined || Number.isNaN(startedMs)) return true;
  const changedMs = Date.parse(condition.lastTransitionTime ?? "");
  if (startedMs + cpuInitializationMs > at.nowMs) {
    // Within its first minutes a whole measurement has to lie after the pod became ready.
    return condition.status === "False" || at.sampledMs < changedMs + at.windowMs;
  }
  return condition.status === "False" && startedMs + initialReadinessMs > changedMs;
}
