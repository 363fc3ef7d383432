import { isNotFound, isPodTerminal, Nodes, type Pod, Pods } from "@skiff/api";
import { againIn, defineController, done, type Loop, type ReconcileContext, watching } from "@skiff/control-loop";
import { deletePod, markDisrupted } from "../pod-disruption.ts";

/** A node that vanished may come back under the same name; only then are its pods given up. */
const quarantineMs = 40_000;
const podsByNode = "node name";
const ended = "ended";

/** Removes pods that nobody else will: of nodes that no longer exist, terminating ones without a node, too many that have ended. */
export function podGcController(options: { readonly terminatedPodThreshold: number }): Loop {
  /** Since when a node's absence is known, on our own clock. */
  const missingSince = new Map<string, number>();
  return defineController<Pod>({
    name: "pod-gc",
    component: "pod-garbage-collector",
    for: Pods,
    watches: [
      watching(Nodes, ({ metadata: { name } }, { cached }) => {
        const pods = cached(Pods);
        pods.addIndex(podsByNode, ({ spec }) => (spec.nodeName ? [spec.nodeName] : []));
        return pods.byIndex(podsByNode, name).map(({ metadata }) => metadata);
      }),
    ],
    async reconcile(pod, context) {
      const { nodeName } = pod.spec;
      if (!nodeName) {
        if (pod.metadata.deletionTimestamp !== undefined) await deletePod(pod, { gracePeriodSeconds: 0 }, context);
        return done;
      }
      if (isPodTerminal(pod)) await trimEnded(options.terminatedPodThreshold, context);
      if (context.cached(Nodes).get(nodeName) !== undefined) {
        missingSince.delete(nodeName);
        return done;
      }
      const nowMs = context.clock.monotonic();
      const sinceMs = missingSince.get(nodeName) ?? nowMs;
      missingSince.set(nodeName, sinceMs);
      const leftMs = sinceMs + quarantineMs - nowMs;
      if (leftMs > 0) return againIn(leftMs);
      if (!(await nodeExists(nodeName, context))) await giveUp(pod, context);
      return done;
    },
  });
}

async function giveUp(pod: Pod, context: ReconcileContext): Promise<void> {
  if (!isPodTerminal(pod)) {
    const message = "PodGC: node no longer exists";
    await markDisrupted(pod, { reason: "DeletionByPodGC", message, phase: "Failed" }, context);
  }
  await deletePod(pod, { gracePeriodSeconds: 0 }, context);
}

async function nodeExists(name: string, { client, signal }: ReconcileContext): Promise<boolean> {
  try {
    await client.get(Nodes, { name }, { signal });
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}

/** The oldest of the ended pods beyond the threshold go. */
async function trimEnded(threshold: number, context: ReconcileContext): Promise<void> {
  const pods = context.cached(Pods);
  pods.addIndex(ended, (pod) => (isPodTerminal(pod) ? [""] : []));
  const all = pods.byIndex(ended, "");
  if (threshold <= 0 || all.length <= threshold) return;
  const oldest = [...all].sort((a, b) => (a.metadata.creationTimestamp < b.metadata.creationTimestamp ? -1 : 1));
  for (const pod of oldest.slice(0, all.length - threshold)) await deletePod(pod, { gracePeriodSeconds: 0 }, context);
}
