import type { Pod } from "@skiff/api";
import { deletionOrder } from "../replica-set/deletion-order.ts";
import type { Counted } from "./count.ts";
import { indexOf } from "./indexes.ts";
import { activePods, type Backoff, endedAtMs, isEnding, isIndexed, type Observed, waitsForEnd } from "./observed.ts";

const firstBackoffMs = 10_000;
const mostBackoffMs = 600_000;
/** No more pods are made or deleted in one go. */
export const burstLimit = 500;

export interface Managed {
  /** Pods to make, each with its index where the job has indexes. */
  readonly create: readonly (number | undefined)[];
  readonly remove: readonly Pod[];
  /** When a pod may be made that has to wait now. */
  readonly recheckMs: number | undefined;
}

/** Which pods to make and delete so that the job goes on as fast as it may. */
export function managePods(observed: Observed, counted: Counted): Managed {
  const { job, pods, nowMs } = observed;
  const { completions, parallelism = 1 } = job.spec;
  const active = activePods(pods);
  const surplus = isIndexed(job) ? superfluous(observed, counted) : [];
  const useful = active.filter((pod) => !surplus.includes(pod));
  const left = completions === undefined ? parallelism : completions - counted.succeeded - counted.failedIndexes.size;
  const begun = completions === undefined && counted.succeeded > 0;
  // Once one has succeeded, a work queue is empty: those that still run finish, no new ones come.
  const wanted = begun ? Math.min(useful.length, parallelism) : Math.max(0, Math.min(left, parallelism));
  if (useful.length > wanted) {
    const order = deletionOrder(new Map(), nowMs);
    const tooMany = [...useful].sort(order).slice(0, useful.length - wanted);
    return { create: [], remove: [...surplus, ...tooMany].slice(0, burstLimit), recheckMs: undefined };
  }
  const ending = waitsForEnd(job) ? pods.filter(isEnding).length : 0;
  const missing = Math.min(wanted - useful.length - ending, burstLimit);
  if (missing <= 0) return { create: [], remove: surplus, recheckMs: undefined };
  return { remove: surplus, ...due(observed, counted, missing) };
}

/** Pods of indexes that are no longer there, done, or have another pod already. */
function superfluous({ job, pods }: Observed, { succeededIndexes, failedIndexes }: Counted): readonly Pod[] {
  const taken = new Set<number>();
  return [...activePods(pods)]
    .sort((a, b) => Date.parse(a.metadata.creationTimestamp) - Date.parse(b.metadata.creationTimestamp))
    .filter((pod) => {
      const index = indexOf(pod);
      if (index === undefined || index >= (job.spec.completions ?? 0)) return true;
      if (succeededIndexes.has(index) || failedIndexes.has(index) || taken.has(index)) return true;
      taken.add(index);
      return false;
    });
}

function due(observed: Observed, counted: Counted, missing: number): Omit<Managed, "remove"> {
  const { job, nowMs } = observed;
  if (!isIndexed(job)) {
    const waitMs = remainingMs(counted.backoff, nowMs);
    if (waitMs > 0) return { create: [], recheckMs: waitMs };
    return { create: Array.from({ length: missing }, () => undefined), recheckMs: undefined };
  }
  const perIndex = job.spec.backoffLimitPerIndex !== undefined;
  const waitForAllMs = perIndex ? 0 : remainingMs(counted.backoff, nowMs);
  if (waitForAllMs > 0) return { create: [], recheckMs: waitForAllMs };
  const waits: number[] = [];
  const create: number[] = [];
  for (const index of pendingIndexes(observed, counted)) {
    if (create.length === missing) break;
    const failure = counted.lastFailures.get(index);
    const before = failure && { failures: failure.counted, lastMs: endedAtMs(failure.pod, nowMs) };
    const waitMs = before === undefined ? 0 : remainingMs(before, nowMs);
    if (waitMs > 0) waits.push(waitMs);
    else create.push(index);
  }
  return { create, recheckMs: waits.length === 0 ? undefined : Math.min(...waits) };
}

function* pendingIndexes({ job, pods }: Observed, { succeededIndexes, failedIndexes }: Counted): Generator<number> {
  const busy = new Set(
    pods.filter((pod) => activePods([pod]).length > 0 || (waitsForEnd(job) && isEnding(pod))).map(indexOf),
  );
  for (let index = 0; index < (job.spec.completions ?? 0); index++) {
    if (!succeededIndexes.has(index) && !failedIndexes.has(index) && !busy.has(index)) yield index;
  }
}

/** 10 s after the first failure, twice as long after each further one, ten minutes at most. */
function remainingMs({ failures, lastMs }: Backoff, nowMs: number): number {
  if (failures === 0) return 0;
  const delayMs = Math.min(firstBackoffMs * 2 ** (failures - 1), mostBackoffMs);
  return Math.max(0, lastMs + delayMs - nowMs);
}
