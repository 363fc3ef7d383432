import { isNotFound, isPodTerminal, Nodes, type Pod, Pods } from "@skiff/api";
import { againIn, defineController, done, type Loop, type ReconcileContext, watching } from "@skiff/control-loop";
import { deletePod, markDisrupted, markFailed } from "../pod-disruption.ts";
import { isLeft, surplus } from "./plan.ts";

/** A node that vanished may come back under the same name; only then are its pods given up. */
const quarantineMs = 40_000;
const trimEveryMs = 20_000;
const podsByNode = "node name";
const ended = "ended";

/** Removes pods that nobody else will: of nodes that no longer exist, terminating ones without a node, too many that have ended. */
export function podGcController(options: { readonly terminatedPodThreshold: number }): Loop {
  /** Since when a node's absence is known, on our own clock. */
  const missingSince = new Map<string, number>();
  const trimming = new Trimming(options.terminatedPodThreshold);
  return defineController<Pod>({
    name: "pod-gc",
    component: "pod-garbage-collector",
    for: Pods,
    matters: (old, pod) =>
      old.spec.nodeName !== pod.spec.nodeName ||
      old.metadata.deletionTimestamp !== pod.metadata.deletionTimestamp ||
      isPodTerminal(old) !== isPodTerminal(pod),
    watches: [
      watching(Nodes, ({ metadata: { name } }, { cached }) => {
        const pods = cached(Pods);
        pods.addIndex(podsByNode, ({ spec }) => (spec.nodeName ? [spec.nodeName] : []));
        return pods.byIndex(podsByNode, name).map(({ metadata }) => metadata);
      }),
    ],
    async reconcile(pod, context) {
      const { nodeName } = pod.spec;
      const node = nodeName ? context.cached(Nodes).get(nodeName) : undefined;
      if (isLeft(pod, node)) {
        await giveUp(pod, undefined, context);
        return done;
      }
      if (!nodeName) return done;
      const trimMs = isPodTerminal(pod) ? await trimming.see(context) : undefined;
      if (node !== undefined) {
        missingSince.delete(nodeName);
        return trimMs === undefined ? done : againIn(trimMs);
      }
      const nowMs = context.clock.monotonic();
      const sinceMs = missingSince.get(nodeName) ?? nowMs;
      missingSince.set(nodeName, sinceMs);
      const leftMs = sinceMs + quarantineMs - nowMs;
      if (leftMs > 0) return againIn(leftMs);
      if (!(await nodeExists(nodeName, context))) await giveUp(pod, "PodGC: node no longer exists", context);
      return done;
    },
  });
}

/** Its phase is Failed first: nobody else is there who would say so. */
async function giveUp(pod: Pod, disruption: string | undefined, context: ReconcileContext): Promise<void> {
  if (!isPodTerminal(pod)) {
    const target = { reason: "DeletionByPodGC", message: disruption ?? "", phase: "Failed" };
    if (disruption !== undefined) await markDisrupted(pod, target, context);
    else await markFailed(pod, context);
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

/** Counting the ended pods looks at all of them: that is done now and then, not for each that ends. */
class Trimming {
  readonly #threshold: number;
  #lastMs = Number.NEGATIVE_INFINITY;
  #isDue = false;

  constructor(threshold: number) {
    this.#threshold = threshold;
  }

  /** Removes what is too much, or gives the milliseconds after which the caller should come again to have it done. */
  async see(context: ReconcileContext): Promise<number | undefined> {
    const nowMs = context.clock.monotonic();
    const leftMs = this.#lastMs + trimEveryMs - nowMs;
    if (leftMs > 0) {
      if (this.#isDue) return undefined;
      this.#isDue = true;
      return leftMs;
    }
    this.#lastMs = nowMs;
    this.#isDue = false;
    const pods = context.cached(Pods);
    pods.addIndex(ended, (pod) => (isPodTerminal(pod) ? [""] : []));
    for (const pod of surplus(pods.byIndex(ended, ""), this.#threshold)) {
      await deletePod(pod, { gracePeriodSeconds: 0 }, context);
    }
    return undefined;
  }
}
