import { CronError, type CronJob, type CronSchedule, isTimeZone, type Job, parseCronSchedule } from "@skiff/api";
import { lastDue } from "./last-due.ts";
import { nextTime } from "./next-time.ts";

/** The next time is looked at a moment late, so that it has come for sure. */
const lateMs = 100;

export interface CronEvent {
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly message: string;
}

export interface Observed {
  readonly cronJob: CronJob;
  /** All that the CronJob owns. */
  readonly jobs: readonly Job[];
  /** Those that are active and are there, but are not known as its own. */
  readonly strays: readonly Job[];
  readonly nowMs: number;
}

export interface CronPlan {
  /** Jobs that have ended or are gone: they are not active any more. */
  readonly ended: readonly { readonly uid: string; readonly job: Job | undefined }[];
  /** When the last of all successful jobs ended. */
  readonly succeededAt: string | undefined;
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

/** `tick-28401234`: the name follows from the time, so that no time is served twice. */
export const jobNameAt = ({ metadata }: CronJob, atMs: number): string =>
  `${metadata.name}-${Math.floor(atMs / 60_000)}`;

const lastSuccess = (jobs: readonly Job[]): string | undefined =>
  jobs
    .flatMap((job) => (endOf(job) === "Complete" ? (job.status?.completionTime ?? []) : []))
    .sort()
    .at(-1);

/** What is due now, and what can go. */
export function planCronJob(observed: Observed): CronPlan {
  const { cronJob, jobs, strays } = observed;
  const byUid = new Map([...strays, ...jobs].map((job) => [job.metadata.uid, job]));
  const refs = cronJob.status?.active ?? [];
  const ended = refs
    .map(({ uid = "" }) => ({ uid, job: byUid.get(uid) }))
    .filter(({ job }) => job === undefined || endOf(job) !== undefined);
  const events = [...bookkeeping(observed)];
  const succeededAt = lastSuccess(jobs);
  const idle = { ended, succeededAt, replace: [], startAtMs: undefined, remove: surplusJobs(observed), events };
  const { deletionTimestamp } = cronJob.metadata;
  if (deletionTimestamp !== undefined || cronJob.spec.suspend === true) return { ...idle, recheckMs: undefined };
  events.push(...zoneInSchedule(cronJob));
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
function* bookkeeping({ cronJob, jobs, strays }: Observed): Generator<CronEvent> {
  const active = new Set((cronJob.status?.active ?? []).map(({ uid }) => uid));
  const known = new Set([...strays, ...jobs].map(({ metadata }) => metadata.uid));
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

/** Schedules of old may name a time zone: they are followed, and their owners told. */
function zoneInSchedule({ spec: { schedule, timeZone } }: CronJob): readonly CronEvent[] {
  if (!schedule.includes("TZ") || (timeZone !== undefined && !isTimeZone(timeZone))) return [];
  const message = `CRON_TZ or TZ used in schedule ${JSON.stringify(schedule)} is not officially supported, see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details`;
  return [{ type: "Warning", reason: "UnsupportedSchedule", message }];
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

function decide(observed: Observed, schedule: CronSchedule, running: readonly Job[]) {
  const { cronJob, nowMs } = observed;
  const { spec, status } = cronJob;
  const events: CronEvent[] = [];
  const none = { events, replace: [], startAtMs: undefined };
  const due = lastDue(cronJob, { schedule, nowMs, withinDeadline: true });
  if (due.kind === "never") {
    const message = `invalid schedule: ${spec.schedule} : time difference between two schedules is less than 1 second`;
    events.push({ type: "Warning", reason: "InvalidSchedule", message });
    return none;
  }
  const { atMs } = due;
  if (atMs !== undefined && due.missed === "many") {
    const message = "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew";
    events.push({ type: "Warning", reason: "TooManyMissedTimes", message });
  }
  if (atMs === undefined) return none;
  const { startingDeadlineSeconds } = spec;
  if (startingDeadlineSeconds !== undefined && atMs + startingDeadlineSeconds * 1000 < nowMs) {
    const message = `Missed scheduled time to start a job: ${new Date(atMs).toUTCString().replace("GMT", "+0000")}`;
    events.push({ type: "Warning", reason: "MissSchedule", message });
    return none;
  }
  const isServed = Date.parse(status?.lastScheduleTime ?? "") === atMs;
  if (isServed || status?.active?.some(({ name }) => name === jobNameAt(cronJob, atMs)) === true) return none;
  if (running.length > 0 && spec.concurrencyPolicy === "Forbid") {
    const message = "Not starting job because prior execution is running and concurrency policy is Forbid";
    events.push({ type: "Normal", reason: "JobAlreadyActive", message });
    return none;
  }
  return { events, replace: spec.concurrencyPolicy === "Replace" ? running : [], startAtMs: atMs };
}

/** From the last time that has come, so that what counts from there (`@every`) keeps its beat. */
function untilNext({ cronJob, nowMs }: Observed, schedule: CronSchedule): number | undefined {
  const due = lastDue(cronJob, { schedule, nowMs, withinDeadline: false });
  if (due.kind === "never") return undefined;
  const fromMs = due.atMs ?? (due.missed === "none" ? due.fromMs : nowMs);
  const next = nextTime(schedule, fromMs, cronJob.spec.timeZone);
  return next === undefined ? undefined : Math.max(0, next - nowMs + lateMs);
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
