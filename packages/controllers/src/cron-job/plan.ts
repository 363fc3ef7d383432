import { CronError, type CronJob, type CronSchedule, type Job, parseCronSchedule } from "@skiff/api";
import { isTimeZone, nextTime } from "./next-time.ts";

/** The next time is looked at a moment late, so that it has come for sure. */
const lateMs = 100;
/** So many missed times are told of: something is wrong with the clock or the controller was away for long. */
const manyMissed = 100;

export interface CronEvent {
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly message: string;
}

export interface Observed {
  readonly cronJob: CronJob;
  /** All that the CronJob owns. */
  readonly jobs: readonly Job[];
  readonly nowMs: number;
}

export interface CronPlan {
  /** Jobs that have ended or are gone: they are not active any more. */
  readonly ended: readonly { readonly uid: string; readonly job: Job | undefined }[];
  /** Jobs that make room for the new one. */
  readonly replace: readonly Job[];
  /** When the job to be made was due; epoch milliseconds. */
  readonly startAtMs: number | undefined;
  /** Jobs beyond the history's limits. */
  readonly remove: readonly Job[];
  readonly events: readonly CronEvent[];
  /** When to look again; never by itself where absent. */
  readonly recheckMs: number | undefined;
}

/** `Complete` or `Failed` once the job has ended. */
export const endOf = ({ status }: Job): string | undefined =>
  status?.conditions?.find(({ type, status }) => status === "True" && (type === "Complete" || type === "Failed"))?.type;

/** What is due now, and what can go. */
export function planCronJob(observed: Observed): CronPlan {
  const { cronJob, jobs } = observed;
  const byUid = new Map(jobs.map((job) => [job.metadata.uid, job]));
  const refs = cronJob.status?.active ?? [];
  const ended = refs
    .map(({ uid = "" }) => ({ uid, job: byUid.get(uid) }))
    .filter(({ job }) => job === undefined || endOf(job) !== undefined);
  const events = [...bookkeeping(observed)];
  const idle = { ended, replace: [], startAtMs: undefined, remove: surplusJobs(observed), events };
  const { deletionTimestamp } = cronJob.metadata;
  if (deletionTimestamp !== undefined || cronJob.spec.suspend === true) return { ...idle, recheckMs: undefined };
  const schedule = readSchedule(cronJob);
  if (schedule.kind === "wrong") {
    events.push(schedule.event);
    return { ...idle, recheckMs: undefined };
  }
  const running = refs.map(({ uid = "" }) => byUid.get(uid)).filter((job) => job !== undefined);
  const decision = decide(
    observed,
    schedule.schedule,
    running.filter((job) => endOf(job) === undefined),
  );
  events.push(...decision.events);
  const recheckMs = untilNext(observed, schedule.schedule);
  return { ...idle, replace: decision.replace, startAtMs: decision.startAtMs, recheckMs };
}

/** What is told of jobs that ended, and of those that run although nobody here started them. */
function* bookkeeping({ cronJob, jobs }: Observed): Generator<CronEvent> {
  const active = new Set((cronJob.status?.active ?? []).map(({ uid }) => uid));
  const known = new Set(jobs.map(({ metadata }) => metadata.uid));
  for (const job of jobs) {
    const { name, uid } = job.metadata;
    const end = endOf(job);
    if (active.has(uid) && end !== undefined) {
      const message = `Saw completed job: ${name}, condition: ${end}`;
      yield { type: "Normal", reason: "SawCompletedJob", message };
    }
    if (!active.has(uid) && end === undefined) {
      const message = `Saw a job that the controller did not create or forgot: ${name}`;
      yield { type: "Warning", reason: "UnexpectedJob", message };
    }
  }
  for (const { uid, name } of cronJob.status?.active ?? []) {
    if (known.has(uid ?? "")) continue;
    yield { type: "Normal", reason: "MissingJob", message: `Active job went missing: ${name}` };
  }
}

type ReadSchedule =
  | { readonly kind: "right"; readonly schedule: CronSchedule }
  | { readonly kind: "wrong"; readonly event: CronEvent };

function readSchedule({ spec }: CronJob): ReadSchedule {
  if (spec.timeZone !== undefined && !isTimeZone(spec.timeZone)) {
    const message = `invalid timeZone: ${JSON.stringify(spec.timeZone)}: unknown time zone ${spec.timeZone}`;
    return { kind: "wrong", event: { type: "Warning", reason: "UnknownTimeZone", message } };
  }
  try {
    return { kind: "right", schedule: parseCronSchedule(spec.schedule) };
  } catch (error) {
    if (!(error instanceof CronError)) throw error;
    const message = `unparseable schedule: ${JSON.stringify(spec.schedule)} : ${error.message}`;
    return { kind: "wrong", event: { type: "Warning", reason: "UnparseableSchedule", message } };
  }
}

interface Due {
  readonly atMs: number | undefined;
  /** More times have passed than anybody should miss. */
  readonly many: boolean;
}

/** The last time that has come since the last job, or since the CronJob exists. */
function lastDue({ cronJob, nowMs }: Observed, schedule: CronSchedule): Due {
  const { spec, status, metadata } = cronJob;
  let fromMs = Date.parse(status?.lastScheduleTime ?? metadata.creationTimestamp);
  const { startingDeadlineSeconds } = spec;
  if (startingDeadlineSeconds !== undefined) fromMs = Math.max(fromMs, nowMs - startingDeadlineSeconds * 1000);
  const first = nextTime(schedule, fromMs, spec.timeZone);
  if (first === undefined || first > nowMs) return { atMs: undefined, many: false };
  const second = nextTime(schedule, first, spec.timeZone);
  if (second === undefined || second > nowMs) return { atMs: first, many: false };
  const distanceMs = second - first;
  const missed = Math.floor((nowMs - first) / distanceMs) + 1;
  // Long absences are skipped, not counted one by one; irregular schedules are followed from a little before.
  const nearMs = first + (missed - 2) * distanceMs;
  return { atMs: lastBetween(nearMs) ?? lastBetween(first - 1), many: missed > manyMissed };

  function lastBetween(afterMs: number): number | undefined {
    let last: number | undefined;
    let next = nextTime(schedule, afterMs, spec.timeZone);
    for (; next !== undefined && next <= nowMs; next = nextTime(schedule, next, spec.timeZone)) last = next;
    return last;
  }
}

function decide(observed: Observed, schedule: CronSchedule, running: readonly Job[]) {
  const { cronJob, nowMs } = observed;
  const { spec, status } = cronJob;
  const events: CronEvent[] = [];
  const none = { events, replace: [], startAtMs: undefined };
  const { atMs, many } = lastDue(observed, schedule);
  if (many) {
    const message = "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew";
    events.push({ type: "Warning", reason: "TooManyMissedTimes", message });
  }
  if (atMs === undefined || Date.parse(status?.lastScheduleTime ?? "") === atMs) return none;
  const { startingDeadlineSeconds } = spec;
  if (startingDeadlineSeconds !== undefined && atMs + startingDeadlineSeconds * 1000 < nowMs) {
    const message = `Missed scheduled time to start a job: ${new Date(atMs).toUTCString().replace("GMT", "+0000")}`;
    events.push({ type: "Warning", reason: "MissSchedule", message });
    return none;
  }
  if (running.length > 0 && spec.concurrencyPolicy === "Forbid") {
    const message = "Not starting job because prior execution is running and concurrency policy is Forbid";
    events.push({ type: "Normal", reason: "JobAlreadyActive", message });
    return none;
  }
  return { events, replace: spec.concurrencyPolicy === "Replace" ? running : [], startAtMs: atMs };
}

function untilNext({ cronJob, nowMs }: Observed, schedule: CronSchedule): number | undefined {
  const next = nextTime(schedule, nowMs, cronJob.spec.timeZone);
  return next === undefined ? undefined : next - nowMs + lateMs;
}

/** Ended jobs that the history need not keep, oldest first. */
function surplusJobs({ cronJob, jobs }: Observed): readonly Job[] {
  const { successfulJobsHistoryLimit, failedJobsHistoryLimit } = cronJob.spec;
  const byStart = (a: Job, b: Job) =>
    Date.parse(a.status?.startTime ?? "") - Date.parse(b.status?.startTime ?? "") ||
    (a.metadata.name < b.metadata.name ? -1 : 1);
  const beyond = (end: string, limit: number | undefined) => {
    const ended = jobs.filter((job) => endOf(job) === end).sort(byStart);
    return limit === undefined ? [] : ended.slice(0, Math.max(0, ended.length - limit));
  };
  return [...beyond("Complete", successfulJobsHistoryLimit), ...beyond("Failed", failedJobsHistoryLimit)];
}
