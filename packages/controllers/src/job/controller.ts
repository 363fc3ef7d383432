import {
  controllerOf,
  type Job,
  type JobStatus,
  Jobs,
  labelSelectorOf,
  namespaceTerminates,
  type ObjectRef,
  type Pod,
  Pods,
} from "@skiff/api";
import { describeError, isAbort, jsonEqual } from "@skiff/base";
import { againIn, defineController, done, owning, type ReconcileContext, watching } from "@skiff/control-loop";
import { claim } from "../claim/claim.ts";
import { deletePod } from "../pod-disruption.ts";
import { slowStart } from "../slow-start.ts";
import { endsOrLeaves, isNews, readinessMayWaitMs } from "./news.ts";
import { type Backoff, isTracked, noBackoff, trackingFinalizer } from "./observed.ts";
import { isOurs, type JobPlan, planJob } from "./plan.ts";
import { podOf } from "./pod.ts";
import { release } from "./release.ts";

const byJob = "Job that counts it";

const keyOf = ({ namespace, name }: ObjectRef): string => `${namespace}/${name}`;

/** Runs pods to their end. https://kubernetes.io/docs/concepts/workloads/controllers/job/ */
export function jobController() {
  /** Failures in a row (after a restart jobs begin anew with short waits), by namespace and name, with the uid of their Job. */
  const backoffs = new Map<string, { readonly uid: string; readonly backoff: Backoff }>();
  return defineController<Job>({
    name: "job",
    component: "job-controller",
    for: Jobs,
    restMs: 10,
    owns: [
      owning(Pods, { matters: isNews, mayWaitMs: (old, pod) => (endsOrLeaves(old, pod) ? 0 : readinessMayWaitMs) }),
    ],
    ownWrites: "known",
    watches: [
      watching(Pods, (pod, { cached }) =>
        controllerOf(pod) !== undefined || pod.metadata.labels === undefined
          ? []
          : cached(Jobs)
              .list(pod.metadata.namespace)
              .filter((job) => labelSelectorOf(job.spec.selector).matches(pod.metadata.labels))
              .map(({ metadata }) => metadata),
      ),
    ],
    async reconcile(job, context) {
      if (!isOurs(job)) return done;
      const { clock, recorder } = context;
      const { uid } = job.metadata;
      const selector = labelSelectorOf(job.spec.selector);
      const request = { owner: job, ownerResource: Jobs, resource: Pods, selector, finalizer: trackingFinalizer };
      const pods = await claim(request, context);
      const key = keyOf(job.metadata);
      const known = backoffs.get(key);
      const backoff = known?.uid === uid ? known.backoff : noBackoff;
      const plan = planJob({ job, pods, backoff, nowMs: clock.now() });
      backoffs.set(key, { uid, backoff: plan.backoff });
      const managed = await manage(job, plan, context);
      const written = plan.before === undefined ? job : await writeStatus(job, plan.before, context);
      await releaseAll(plan.release, context);
      await writeStatus(written, plan.after(managed), context);
      for (const event of plan.events) recorder.record(Jobs, job, event);
      if (managed.error !== undefined) throw managed.error;
      return plan.recheckMs === undefined ? done : againIn(plan.recheckMs);
    },
    async gone(ref, context) {
      backoffs.delete(keyOf(ref));
      await releaseOrphans(ref, context);
      return done;
    },
  });
}

async function writeStatus(job: Job, status: JobStatus, { client, signal }: ReconcileContext): Promise<Job> {
  return jsonEqual(status, job.status) ? job : await client.updateStatus(Jobs, { ...job, status }, { signal });
}

/** Makes and deletes pods; gives how many, and the first error. */
async function manage(job: Job, plan: JobPlan, context: ReconcileContext) {
  const waiting = [...plan.create];
  const made = await slowStart(plan.create.length, () => createPod(job, waiting.shift(), plan, context));
  const removed = await Promise.allSettled(plan.remove.map((pod) => removePod(job, pod, context)));
  const failure = removed.find((result) => result.status === "rejected");
  return {
    created: made.succeeded,
    removed: removed.filter((result) => result.status === "fulfilled").length,
    error: made.error ?? failure?.reason,
  };
}

async function createPod(
  job: Job,
  index: number | undefined,
  { counted }: JobPlan,
  { client, recorder, signal }: ReconcileContext,
): Promise<void> {
  const failure = index === undefined ? undefined : counted.lastFailures.get(index);
  try {
    const { metadata } = await client.create(Pods, podOf(job, index, failure), { signal });
    const message = `Created pod: ${metadata.name}`;
    recorder.record(Jobs, job, { type: "Normal", reason: "SuccessfulCreate", message });
  } catch (error) {
    if (isAbort(error, signal)) throw error;
    if (namespaceTerminates(error)) return;
    const message = `Error creating: ${describeError(error)}`;
    recorder.record(Jobs, job, { type: "Warning", reason: "FailedCreate", message });
    throw error;
  }
}

async function removePod(job: Job, pod: Pod, context: ReconcileContext): Promise<void> {
  const { recorder, signal } = context;
  try {
    await deletePod(pod, {}, context);
    const message = `Deleted pod: ${pod.metadata.name}`;
    recorder.record(Jobs, job, { type: "Normal", reason: "SuccessfulDelete", message });
  } catch (error) {
    if (isAbort(error, signal)) throw error;
    const message = `Error deleting: ${describeError(error)}`;
    recorder.record(Jobs, job, { type: "Warning", reason: "FailedDelete", message });
    throw error;
  }
}

/** Lets counted pods go; one that cannot go now does not hold up the others. Throws the first failure. */
async function releaseAll(pods: readonly Pod[], context: ReconcileContext): Promise<void> {
  const released = await Promise.allSettled(pods.map((pod) => release(pod, context)));
  for (const one of released) if (one.status === "rejected") throw one.reason;
}

/** Pods that wait to be counted by a job that is gone would wait for ever. */
async function releaseOrphans(ref: ObjectRef, context: ReconcileContext): Promise<void> {
  const jobs = context.cached(Jobs);
  const pods = context.cached(Pods);
  pods.addIndex(byJob, (pod) => {
    const owner = isTracked(pod) ? controllerOf(pod) : undefined;
    return owner?.kind === "Job" ? [keyOf({ namespace: pod.metadata.namespace, name: owner.name })] : [];
  });
  for (const pod of pods.byIndex(byJob, keyOf(ref))) {
    if (jobs.get(ref.name, ref.namespace)?.metadata.uid !== controllerOf(pod)?.uid) await release(pod, context);
  }
}
