import { controllerOf, type Job, Jobs, labelSelectorOf, type Pod, Pods } from "@skiff/api";
import { defineController, done, watching } from "@skiff/control-loop";
import { isFinished, isTracked } from "./observed.ts";
import { isOurs } from "./plan.ts";
import { release } from "./release.ts";

const orphans = "held for a job, without one";

const isOrphan = (pod: Pod): boolean => isTracked(pod) && controllerOf(pod) === undefined;

/** Whether a job is going to take the pod. */
const takes = (job: Job, { metadata }: Pod): boolean =>
  isOurs(job) &&
  !isFinished(job) &&
  job.metadata.deletionTimestamp === undefined &&
  metadata.deletionTimestamp === undefined &&
  labelSelectorOf(job.spec.selector).matches(metadata.labels);

/** Lets pods go that a job has held and that are nobody's now: its pods are left when a job is deleted without them. */
export const jobOrphanController = defineController<Pod>({
  name: "job-orphan",
  component: "job-controller",
  for: Pods,
  concerns: isOrphan,
  watches: [
    watching(Jobs, ({ metadata: { namespace = "" } }, { cached }) => {
      const pods = cached(Pods);
      pods.addIndex(orphans, (pod) => (isOrphan(pod) ? [pod.metadata.namespace ?? ""] : []));
      return pods.byIndex(orphans, namespace).map(({ metadata }) => metadata);
    }),
  ],
  async reconcile(pod, context) {
    const jobs = context.cached(Jobs).list(pod.metadata.namespace);
    if (isOrphan(pod) && !jobs.some((job) => takes(job, pod))) await release(pod, context);
    return done;
  },
});
