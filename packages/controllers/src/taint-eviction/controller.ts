import { isPodTerminal, Nodes, type Pod, Pods } from "@skiff/api";
import { jsonEqual } from "@skiff/base";
import { againIn, defineController, done, type Loop, watching } from "@skiff/control-loop";
import { deletePod, markDisrupted } from "../pod-disruption.ts";
import { mayStayMs } from "./plan.ts";

const podsByNode = "node name";

/**
 * Takes pods off nodes with `NoExecute` taints, each after the time that it tolerates.
 * https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/#taint-based-evictions
 */
export function taintEvictionController(): Loop {
  /** Since when a pod has been on a tainted node, by namespace and name, on our own clock. */
  const taintedSince = new Map<string, number>();
  return defineController<Pod>({
    name: "taint-eviction",
    component: "taint-eviction-controller",
    for: Pods,
    concerns: ({ spec }) => !!spec.nodeName,
    matters: (old, pod) =>
      old.spec.nodeName !== pod.spec.nodeName ||
      old.metadata.deletionTimestamp !== pod.metadata.deletionTimestamp ||
      isPodTerminal(old) !== isPodTerminal(pod) ||
      !jsonEqual(old.spec.tolerations, pod.spec.tolerations),
    workers: 8,
    watches: [
      watching(Nodes, ({ metadata: { name } }, { cached }) => {
        const pods = cached(Pods);
        pods.addIndex(podsByNode, ({ spec }) => (spec.nodeName ? [spec.nodeName] : []));
        return pods.byIndex(podsByNode, name).map(({ metadata }) => metadata);
      }),
    ],
    async reconcile(pod, context) {
      const { cached, clock, recorder } = context;
      const { namespace, name, deletionTimestamp } = pod.metadata;
      const key = `${namespace}/${name}`;
      const node = pod.spec.nodeName ? cached(Nodes).get(pod.spec.nodeName) : undefined;
      const taints = (node?.spec.taints ?? []).filter(({ effect }) => effect === "NoExecute");
      const stayMs = mayStayMs(taints, pod.spec.tolerations ?? []);
      if (stayMs === undefined || deletionTimestamp !== undefined || isPodTerminal(pod)) {
        if (taintedSince.delete(key) && deletionTimestamp === undefined) {
          const message = `Cancelling deletion of Pod ${key}`;
          recorder.record(Pods, pod, { type: "Normal", reason: "TaintManagerEviction", message });
        }
        return done;
      }
      const nowMs = clock.monotonic();
      const sinceMs = taintedSince.get(key) ?? nowMs;
      taintedSince.set(key, sinceMs);
      const leftMs = sinceMs + stayMs - nowMs;
      if (leftMs > 0) return againIn(leftMs);
      const marked = `Marking for deletion Pod ${key}`;
      recorder.record(Pods, pod, { type: "Normal", reason: "TaintManagerEviction", message: marked });
      const message = "Taint manager: deleting due to NoExecute taint";
      await markDisrupted(pod, { reason: "DeletionByTaintManager", message }, context);
      await deletePod(pod, {}, context);
      taintedSince.delete(key);
      return done;
    },
    async gone({ namespace, name }) {
      taintedSince.delete(`${namespace}/${name}`);
      return done;
    },
  });
}
