import { isNotFound, type Job, Jobs } from "@skiff/api";
import { againIn, defineController, done } from "@skiff/control-loop";

/** Milliseconds until an ended job may be cleaned up; `undefined` while it may not. */
export function expiresInMs({ metadata, spec, status }: Job, nowMs: number): number | undefined {
  const { ttlSecondsAfterFinished } = spec;
  if (ttlSecondsAfterFinished === undefined || metadata.deletionTimestamp !== undefined) return undefined;
  const end = status?.conditions?.find(
    (condition) => condition.status === "True" && (condition.type === "Complete" || condition.type === "Failed"),
  );
  const endedMs = Date.parse(end?.lastTransitionTime ?? "");
  return Number.isNaN(endedMs) ? undefined : Math.max(0, endedMs + ttlSecondsAfterFinished * 1000 - nowMs);
}

/** Deletes jobs some time after they ended. https://kubernetes.io/docs/concepts/workloads/controllers/ttlafterfinished/ */
export const ttlAfterFinishedController = defineController<Job>({
  name: "ttl-after-finished",
  component: "ttl-after-finished-controller",
  for: Jobs,
  concerns: ({ spec }) => spec.ttlSecondsAfterFinished !== undefined,
  async reconcile(job, { client, clock, signal }) {
    const waitMs = expiresInMs(job, clock.now());
    if (waitMs === undefined) return done;
    if (waitMs > 0) return againIn(waitMs);
    try {
      // The cache may be late: somebody may have given the job more time.
      const live = await client.get(Jobs, job.metadata, { signal });
      const leftMs = expiresInMs(live, clock.now());
      if (leftMs === undefined || live.metadata.uid !== job.metadata.uid) return done;
      if (leftMs > 0) return againIn(leftMs);
      const { uid, resourceVersion } = live.metadata;
      const preconditions = { uid, resourceVersion };
      await client.delete(Jobs, job.metadata, { propagationPolicy: "Foreground", preconditions, signal });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
    return done;
  },
});
