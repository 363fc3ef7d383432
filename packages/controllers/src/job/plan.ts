import { type Job, type JobCondition, type JobStatus, type Pod, podReady } from "@skiff/api";
import { timestamp } from "@skiff/base";
import { unlessZero } from "../counts.ts";
import { type Counted, countPods } from "./count.ts";
import { writeIndexes } from "./indexes.ts";
import { burstLimit, managePods } from "./manage.ts";
import { activePods, type Backoff, conditionOf, isEnding, isFinished, isIndexed, type Observed } from "./observed.ts";
import { deadlineInMs, targetOf, type Verdict, verdictOf } from "./verdict.ts";

export interface JobEvent {
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly message: string;
}

export interface JobPlan {
  readonly create: readonly (number | undefined)[];
  readonly remove: readonly Pod[];
  /** To be written before any pod of `release` loses its finalizer; absent where it says nothing new. */
  readonly before: JobStatus | undefined;
  readonly release: readonly Pod[];
  /** To be written once those pods have lost it. */
  after(done: { readonly created: number; readonly removed: number }): JobStatus;
  readonly counted: Counted;
  readonly backoff: Backoff;
  readonly events: readonly JobEvent[];
  readonly recheckMs: number | undefined;
}

/** One step of a job's life. */
export function planJob(observed: Observed): JobPlan {
  const { job } = observed;
  const first = countPods(observed);
  const leaves = job.metadata.deletionTimestamp !== undefined;
  if (isFinished(job) || leaves) return finalPlan(observed, first);
  const verdict = verdictOf(observed, first);
  const counted = verdict === undefined ? first : countPods(observed, verdict.type);
  const suspended = job.spec.suspend === true && verdict === undefined;
  const nothing = { create: [], remove: activePods(observed.pods), recheckMs: undefined };
  const managed = verdict !== undefined || suspended ? nothing : managePods(observed, counted);
  const resumed = !suspended && verdict === undefined && conditionOf(job, "Suspended") !== undefined;
  const finishes = verdict !== undefined && isQuiet(observed, counted);
  const goesOn = counted.more || managed.create.length === burstLimit || managed.remove.length === burstLimit;
  const draft: Draft = { observed, counted, verdict, suspended, resumed, finishes };
  const deadlineMs = verdict === undefined && !suspended ? deadlineInMs(observed) : undefined;
  const waits = [managed.recheckMs, deadlineMs, goesOn ? 0 : undefined];
  const known = waits.filter((wait) => wait !== undefined);
  return {
    ...managed,
    before: counted.news ? statusOf(draft, { created: 0, removed: 0 }, "uncounted") : undefined,
    release: counted.release,
    after: (done) => statusOf(draft, done, "counted"),
    counted,
    backoff: counted.backoff,
    events: eventsOf(draft),
    recheckMs: known.length === 0 ? undefined : Math.min(...known),
  };
}

/** Nothing is made or deleted for a job that is over; what still is held is let go. */
function finalPlan({ job, pods, backoff }: Observed, counted: Counted): JobPlan {
  const draft = { job, counted };
  const status = job.status ?? {};
  const after = (): JobStatus => ({
    ...status,
    succeeded: isIndexed(job) ? status.succeeded : unlessZero((status.succeeded ?? 0) + counted.succeededUids.length),
    failed: unlessZero((status.failed ?? 0) + counted.failedUids.length),
    ...(status.uncountedTerminatedPods === undefined ? {} : { uncountedTerminatedPods: {} }),
  });
  const known = counted.succeededUids.length + counted.failedUids.length > 0 && isFinished(draft.job);
  const held = pods.filter((pod) => counted.release.includes(pod));
  return {
    create: [],
    remove: [],
    before: undefined,
    release: held,
    after: known ? after : () => status,
    counted,
    backoff,
    events: [],
    recheckMs: undefined,
  };
}

interface Draft {
  readonly observed: Observed;
  readonly counted: Counted;
  readonly verdict: Verdict | undefined;
  readonly suspended: boolean;
  readonly resumed: boolean;
  /** All pods have ended: once they are counted, the last condition may be set. */
  readonly finishes: boolean;
}

const isQuiet = ({ pods }: Observed, { more }: Counted): boolean =>
  activePods(pods).length === 0 && !pods.some(isEnding) && !more;

function statusOf(
  draft: Draft,
  done: { readonly created: number; readonly removed: number },
  stage: "uncounted" | "counted",
): JobStatus {
  const { observed, counted, verdict, suspended, resumed, finishes } = draft;
  const { job, pods, nowMs } = observed;
  const old = job.status ?? {};
  const active = activePods(pods);
  const now = timestamp(nowMs);
  const flushed = stage === "counted";
  const removedReady = done.removed === active.length ? 0 : active.filter(podReady).length;
  const begins = !suspended && (old.startTime === undefined || resumed);
  // A job that is held begins anew, with all of its time before it.
  const pauses = suspended && conditionOf(job, "Suspended") === undefined;
  const completes = flushed && finishes && verdict?.type === "Complete";
  return {
    ...old,
    startTime: begins ? now : pauses ? undefined : old.startTime,
    active: unlessZero(active.length + done.created - done.removed),
    ready: removedReady,
    terminating: pods.filter(isEnding).length + done.removed,
    succeeded: unlessZero(
      isIndexed(job) ? counted.succeeded : (old.succeeded ?? 0) + (flushed ? counted.succeededUids.length : 0),
    ),
    failed: unlessZero((old.failed ?? 0) + (flushed ? counted.failedUids.length : 0)),
    uncountedTerminatedPods: flushed ? {} : uncounted(counted),
    ...(isIndexed(job) && counted.succeededIndexes.size > 0
      ? { completedIndexes: writeIndexes(counted.succeededIndexes) }
      : {}),
    ...(isIndexed(job) && job.spec.backoffLimitPerIndex !== undefined
      ? { failedIndexes: writeIndexes(counted.failedIndexes) }
      : {}),
    ...(completes ? { completionTime: now } : {}),
    ...conditionsPart(draft, { now, isLast: flushed && finishes }),
  };
}

const uncounted = ({ succeededUids, failedUids }: Counted) => ({
  ...(succeededUids.length > 0 && { succeeded: [...succeededUids] }),
  ...(failedUids.length > 0 && { failed: [...failedUids] }),
});

function conditionsPart(
  { observed, verdict, suspended, resumed }: Draft,
  { now, isLast }: { readonly now: string; readonly isLast: boolean },
): Pick<JobStatus, "conditions"> {
  const conditions = [...(observed.job.status?.conditions ?? [])];
  const set = (type: string, status: string, told: { readonly reason: string; readonly message: string }) => {
    const index = conditions.findIndex((one) => one.type === type);
    if (conditions[index]?.status === status) return;
    const { reason, message } = told;
    const made: JobCondition = { type, status, reason, message, lastProbeTime: now, lastTransitionTime: now };
    if (index < 0) conditions.push(made);
    else conditions[index] = made;
  };
  if (verdict !== undefined) set(targetOf(verdict), "True", verdict);
  if (verdict !== undefined && isLast) set(verdict.type, "True", verdict);
  if (suspended) set("Suspended", "True", { reason: "JobSuspended", message: "Job suspended" });
  if (resumed) set("Suspended", "False", { reason: "JobResumed", message: "Job resumed" });
  return conditions.length === 0 ? {} : { conditions };
}

function eventsOf({ observed: { job }, verdict, suspended, resumed, finishes }: Draft): readonly JobEvent[] {
  const events: JobEvent[] = [];
  if (suspended && conditionOf(job, "Suspended") === undefined) {
    events.push({ type: "Normal", reason: "Suspended", message: "Job suspended" });
  }
  if (resumed) events.push({ type: "Normal", reason: "Resumed", message: "Job resumed" });
  if (verdict !== undefined && finishes) {
    const { type, reason, message } = verdict;
    events.push(
      type === "Complete"
        ? { type: "Normal", reason: "Completed", message: "Job completed" }
        : { type: "Warning", reason, message },
    );
  }
  return events;
}

/** Whether somebody else looks after the job. */
export const isOurs = ({ spec }: Job): boolean =>
  spec.managedBy === undefined || spec.managedBy === "kubernetes.io/job-controller";
