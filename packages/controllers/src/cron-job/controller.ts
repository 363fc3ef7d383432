import {
  type CronJob,
  CronJobs,
  controllerOf,
  isAlreadyExists,
  isNotFound,
  type Job,
  Jobs,
  type New,
  namespaceTerminates,
  ownerReference,
} from "@skiff/api";
import { deepCopy, describeError, isAbort, jsonEqual, timestamp } from "@skiff/base";
import { againIn, defineController, done, owning, type ReconcileContext } from "@skiff/control-loop";
import { zonedTimestamp } from "./next-time.ts";
import { type CronPlan, endOf, jobNameAt, planCronJob } from "./plan.ts";

const scheduledKey = "batch.kubernetes.io/cronjob-scheduled-timestamp";

/** Makes Jobs at the times of a schedule. https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ */
export const cronJobController = defineController<CronJob>({
  name: "cron-job",
  component: "cronjob-controller",
  for: CronJobs,
  owns: [owning(Jobs, { matters: (old, job) => endOf(old) !== endOf(job) || hasOtherOwner(old, job) })],
  ownWrites: "known",
  async reconcile(cronJob, context) {
    const { clock, client, owned, recorder, signal } = context;
    const jobs = owned(Jobs, cronJob);
    const strays = await findStrays(cronJob, jobs, context);
    const plan = planCronJob({ cronJob, jobs, strays, nowMs: clock.now() });
    for (const event of plan.events) recorder.record(CronJobs, cronJob, event);
    for (const job of plan.replace) await removeJob(cronJob, job, context);
    // History that cannot be cut down keeps nothing from being started.
    const [failed] = await settled(plan.remove.map((job) => removeJob(cronJob, job, context)));
    const status = bookkeeping(cronJob, plan);
    const made = plan.startAtMs === undefined ? undefined : await startJob(cronJob, plan.startAtMs, context);
    if (made !== undefined && plan.startAtMs !== undefined) {
      const { name, namespace, uid, resourceVersion } = made.metadata;
      const reference = { apiVersion: "batch/v1", kind: "Job", name, namespace, uid, resourceVersion };
      status.active = [...(status.active ?? []), reference];
      status.lastScheduleTime = timestamp(plan.startAtMs);
    }
    if (!jsonEqual(status, cronJob.status)) await client.updateStatus(CronJobs, { ...cronJob, status }, { signal });
    if (failed !== undefined) throw failed.reason;
    return plan.recheckMs === undefined ? done : againIn(plan.recheckMs);
  },
});

async function settled(work: readonly Promise<void>[]): Promise<readonly PromiseRejectedResult[]> {
  return (await Promise.allSettled(work)).filter((result) => result.status === "rejected");
}

/**
 * Active jobs that the cache does not show as the CronJob's own, but that are there: the cache may be behind, or somebody has
 * taken them over.
 */
async function findStrays(
  { metadata: { namespace }, status }: CronJob,
  jobs: readonly Job[],
  { client, signal }: ReconcileContext,
): Promise<readonly Job[]> {
  const known = new Set(jobs.map(({ metadata }) => metadata.uid));
  const strays: Job[] = [];
  for (const { name = "", uid = "" } of status?.active ?? []) {
    if (known.has(uid)) continue;
    try {
      const job = await client.get(Jobs, { namespace, name }, { signal });
      if (job.metadata.uid === uid) strays.push(job);
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
  return strays;
}

const hasOtherOwner = (old: Job, job: Job): boolean =>
  !jsonEqual(old.metadata.ownerReferences, job.metadata.ownerReferences);

/** The status without the jobs that ended or make room, with the last success. */
function bookkeeping({ status }: CronJob, { ended, succeededAt, replace }: CronPlan): NonNullable<CronJob["status"]> {
  const leaving = new Set([...ended.map(({ uid }) => uid), ...replace.map(({ metadata }) => metadata.uid)]);
  const active = (status?.active ?? []).filter(({ uid }) => !leaving.has(uid ?? ""));
  const known = [status?.lastSuccessfulTime, succeededAt].filter((time) => time !== undefined).sort();
  const { active: _old, ...rest } = status ?? {};
  return {
    ...rest,
    ...(active.length > 0 && { active }),
    ...(known.length > 0 && { lastSuccessfulTime: known.at(-1) }),
  };
}

function jobAt(cronJob: CronJob, atMs: number): New<Job> {
  const { metadata, spec } = cronJob;
  const { labels, annotations } = deepCopy(spec.jobTemplate.metadata ?? {});
  return {
    metadata: {
      name: jobNameAt(cronJob, atMs),
      namespace: metadata.namespace,
      ...(labels === undefined ? {} : { labels }),
      annotations: { ...annotations, [scheduledKey]: zonedTimestamp(atMs, spec.timeZone) },
      ownerReferences: [ownerReference(CronJobs, cronJob)],
    },
    ...(spec.jobTemplate.spec === undefined ? {} : { spec: deepCopy(spec.jobTemplate.spec) }),
  };
}

/** `undefined` where the job of that time is somebody else's, or nothing can be made here. */
async function startJob(cronJob: CronJob, atMs: number, context: ReconcileContext): Promise<Job | undefined> {
  const { client, recorder, signal } = context;
  const wanted = jobAt(cronJob, atMs);
  try {
    const job = await client.create(Jobs, wanted, { signal });
    const message = `Created job ${job.metadata.name}`;
    recorder.record(CronJobs, cronJob, { type: "Normal", reason: "SuccessfulCreate", message });
    return job;
  } catch (error) {
    if (isAlreadyExists(error)) return await ownJob(cronJob, wanted, context);
    if (isAbort(error, signal)) throw error;
    if (namespaceTerminates(error)) return undefined;
    const message = `Error creating job: ${describeError(error)}`;
    recorder.record(CronJobs, cronJob, { type: "Warning", reason: "FailedCreate", message });
    throw error;
  }
}

/** Made a moment ago, before its time was noted. */
async function ownJob(cronJob: CronJob, wanted: New<Job>, { client, signal }: ReconcileContext) {
  const { name = "", namespace } = wanted.metadata;
  const job = await client.get(Jobs, { name, namespace }, { signal });
  const isActive = cronJob.status?.active?.some(({ uid }) => uid === job.metadata.uid) === true;
  return controllerOf(job)?.uid === cronJob.metadata.uid && !isActive ? job : undefined;
}

async function removeJob(cronJob: CronJob, job: Job, { client, recorder, signal }: ReconcileContext): Promise<void> {
  const { name, uid } = job.metadata;
  if (job.metadata.deletionTimestamp !== undefined) return;
  try {
    await client.delete(Jobs, job.metadata, { propagationPolicy: "Background", preconditions: { uid }, signal });
    const message = `Deleted job ${name}`;
    recorder.record(CronJobs, cronJob, { type: "Normal", reason: "SuccessfulDelete", message });
  } catch (error) {
    if (isNotFound(error)) return;
    if (isAbort(error, signal)) throw error;
    const message = `Deleted job: ${describeError(error)}`;
    recorder.record(CronJobs, cronJob, { type: "Warning", reason: "FailedDelete", message });
    throw error;
  }
}
