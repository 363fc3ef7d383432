/**
 * Counting pods exactly once, whatever happens in between: the uids of ended pods are written to the status first, then the
 * pods lose the finalizer that kept them, then they are added to the counts and their uids go.
 */
import type { Pod } from "@skiff/api";
import { judgeFailure } from "./failure-policy.ts";
import { indexOf, readIndexes } from "./indexes.ts";
import {
  type Backoff,
  endedAtMs,
  endOf,
  failureCountKey,
  ignoredCountKey,
  isEnding,
  isFinished,
  isIndexed,
  isTracked,
  type Observed,
} from "./observed.ts";

/** No more pods are counted in one go. */
const mostUncounted = 500;

export interface Counted {
  /** Uids on their way from pods to counts, with those that are new now. */
  readonly succeededUids: readonly string[];
  readonly failedUids: readonly string[];
  /** Something is among them that the status does not know yet. */
  readonly news: boolean;
  /** There was no room for all: some are left for another time. */
  readonly more: boolean;
  /** Pods that may lose their finalizer once the status knows them. */
  readonly release: readonly Pod[];
  /** With everything that is on its way. */
  readonly succeeded: number;
  readonly failed: number;
  readonly succeededIndexes: ReadonlySet<number>;
  readonly failedIndexes: ReadonlySet<number>;
  /** The last failure of each index that may be tried again: its pod stays until the next one is there. */
  readonly lastFailures: ReadonlyMap<number, IndexFailure>;
  /** A pod's failure that ends the job. */
  readonly failJobMessage: string | undefined;
  readonly backoff: Backoff;
}

export interface IndexFailure {
  readonly pod: Pod;
  /** Failures that count against the limit, and those that a policy ignores; this one included. */
  readonly counted: number;
  readonly ignored: number;
}

/**
 * `ending`: what has been decided of the job, so that none of its pods is waited for. Those that still run are let go, counted as
 * failed where the job has failed, as nobody at all where it has succeeded or is deleted.
 */
export function countPods(observed: Observed, ending?: "Complete" | "Failed"): Counted {
  const { job, pods } = observed;
  const known = job.status?.uncountedTerminatedPods ?? {};
  const succeededUids = new Set(known.succeeded ?? []);
  const failedUids = new Set(known.failed ?? []);
  const indexes = countIndexes(observed);
  const letsAllGo = ending !== undefined || isFinished(job) || job.metadata.deletionTimestamp !== undefined;
  const kept = new Set(letsAllGo ? [] : [...indexes.lastFailures.values()].map(({ pod }) => pod.metadata.uid));
  const succeededBefore = readIndexes(job.status?.completedIndexes, job.spec.completions ?? 0);
  const release: Pod[] = [];
  const fresh: Pod[] = [];
  let failJobMessage: string | undefined;
  let more = false;
  let room = mostUncounted - succeededUids.size - failedUids.size;
  for (const pod of pods.filter(isTracked)) {
    const { uid } = pod.metadata;
    const ended = endOf(job, pod);
    const end = ended ?? (ending === "Failed" ? "failed" : undefined);
    const verdict = ended === "failed" ? judgeFailure(job.spec.podFailurePolicy, pod) : undefined;
    if (verdict?.kind === "failJob") failJobMessage ??= verdict.message;
    if (succeededUids.has(uid) || failedUids.has(uid)) release.push(pod);
    else if (end === undefined) {
      if (letsAllGo) release.push(pod);
    } else if (!kept.has(uid)) {
      if (room <= 0) {
        more = true;
        continue;
      }
      release.push(pod);
      const index = isIndexed(job) ? indexOf(pod) : undefined;
      const isStray = isIndexed(job) && !(index !== undefined && index < (job.spec.completions ?? 0));
      if (verdict?.kind === "ignore" || isStray) continue;
      // An index says by itself that it has succeeded: it needs no uid.
      if (index !== undefined && end === "succeeded") {
        if (succeededBefore.has(index)) continue;
      } else (end === "succeeded" ? succeededUids : failedUids).add(uid);
      fresh.push(pod);
      room--;
    }
  }
  const { succeeded = 0, failed = 0 } = job.status ?? {};
  return {
    succeededUids: [...succeededUids],
    failedUids: [...failedUids],
    news: fresh.length > 0,
    more,
    release,
    succeeded: isIndexed(job) ? indexes.succeeded.size : succeeded + succeededUids.size,
    // What waits for its index to be tried again has failed all the same.
    failed: failed + failedUids.size + kept.size,
    succeededIndexes: indexes.succeeded,
    failedIndexes: indexes.failed,
    lastFailures: indexes.lastFailures,
    failJobMessage,
    backoff: backoffAfter(observed, fresh),
  };
}

function countIndexes({ job, pods }: Observed) {
  const completions = job.spec.completions ?? 0;
  const succeeded = readIndexes(job.status?.completedIndexes, completions);
  const failed = readIndexes(job.status?.failedIndexes, completions);
  const lastFailures = new Map<number, IndexFailure>();
  if (!isIndexed(job)) return { succeeded, failed, lastFailures };
  const byIndex = Map.groupBy(pods, (pod) => indexOf(pod) ?? completions);
  for (const [index, tries] of byIndex) {
    if (index >= completions) continue;
    if (tries.some((pod) => isTracked(pod) && endOf(job, pod) === "succeeded")) succeeded.add(index);
    if (job.spec.backoffLimitPerIndex === undefined || succeeded.has(index)) continue;
    const last = lastFailure({ job, pods: tries });
    if (last === undefined) continue;
    const { kind } = judgeFailure(job.spec.podFailurePolicy, last.pod);
    if (kind === "failIndex" || last.counted > job.spec.backoffLimitPerIndex) failed.add(index);
    else if (!failed.has(index)) lastFailures.set(index, last);
  }
  return { succeeded, failed, lastFailures };
}

/** The failure after which nothing was tried yet, of one index's pods. */
function lastFailure({ job, pods }: Pick<Observed, "job" | "pods">): IndexFailure | undefined {
  const tries = pods.map((pod) => ({ pod, before: failuresBefore(pod) }));
  const latest = tries.sort((a, b) => b.before.counted + b.before.ignored - (a.before.counted + a.before.ignored))[0];
  if (latest === undefined || !isTracked(latest.pod) || endOf(job, latest.pod) !== "failed") return undefined;
  if (isEnding(latest.pod)) return undefined;
  const ignored = judgeFailure(job.spec.podFailurePolicy, latest.pod).kind === "ignore";
  const { counted, ignored: passedOver } = latest.before;
  return { pod: latest.pod, counted: counted + (ignored ? 0 : 1), ignored: passedOver + (ignored ? 1 : 0) };
}

function failuresBefore({ metadata }: Pod): { readonly counted: number; readonly ignored: number } {
  const count = (key: string) => Number(metadata.annotations?.[key] ?? 0) || 0;
  return { counted: count(failureCountKey), ignored: count(ignoredCountKey) };
}

/** Failures since the last success, in the order in which the pods ended. */
function backoffAfter({ job, backoff, nowMs }: Observed, ended: readonly Pod[]): Backoff {
  const inOrder = ended.map((pod) => ({ pod, atMs: endedAtMs(pod, nowMs) })).sort((a, b) => a.atMs - b.atMs);
  return inOrder.reduce<Backoff>(
    (before, { pod, atMs }) =>
      endOf(job, pod) === "succeeded"
        ? { failures: 0, lastMs: 0 }
        : { failures: before.failures + 1, lastMs: Math.max(before.lastMs, atMs) },
    backoff,
  );
}
