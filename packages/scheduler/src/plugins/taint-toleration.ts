import { type Node, type Pod, tolerates, untoleratedTaint } from "@skiff/api";
import { definePlugin, fits, rejects, scaleToHundred } from "../framework.ts";

const isKeptAway = (pod: Pod, { spec }: Node): boolean =>
  untoleratedTaint(spec.taints, pod.spec.tolerations, ["NoSchedule", "NoExecute"]) !== undefined;

const tainted = rejects("node(s) had untolerated taint(s)");

/** Taints keep pods away that do not tolerate them; those that only prefer to be left alone cost points. */
export const taintToleration = definePlugin({
  name: "TaintToleration",
  weight: 3,
  retryOn: [
    { kind: "nodeAdded" },
    {
      kind: "nodeUpdated",
      helps: ({ pod, node, old }) => isKeptAway(pod, old) && !isKeptAway(pod, node),
    },
  ],
  filter: ({ pod, node }) => (isKeptAway(pod, node.node) ? tainted : fits),
  score: ({ pod, node }) =>
    node.node.spec.taints?.filter(
      (taint) =>
        taint.effect === "PreferNoSchedule" &&
        !pod.spec.tolerations?.some((toleration) => tolerates(toleration, taint)),
    ).length ?? 0,
  normalize: (scores) => scaleToHundred(scores, { fewerIsBetter: true }),
});
