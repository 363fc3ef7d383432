import { Nodes, tolerates, untoleratedTaint } from "@skiff/api";
import { definePlugin, fits, rejects, scaleToHundred } from "../framework.ts";

/** Taints keep pods away that do not tolerate them; those that only prefer to be left alone cost points. */
export const taintToleration = definePlugin({
  name: "TaintToleration",
  weight: 3,
  retryOn: [
    { resource: Nodes, change: "added" },
    { resource: Nodes, change: "updated" },
  ],
  filter: ({ pod, node }) => {
    const taint = untoleratedTaint(node.node.spec.taints, pod.spec.tolerations, ["NoSchedule", "NoExecute"]);
    return taint === undefined ? fits : rejects(`node(s) had untolerated taint {${taint.key}: ${taint.value ?? ""}}`);
  },
  score: ({ pod, node }) =>
    (node.node.spec.taints ?? []).filter(
      (taint) =>
        taint.effect === "PreferNoSchedule" &&
        !pod.spec.tolerations?.some((toleration) => tolerates(toleration, taint)),
    ).length,
  normalize: (scores) => scaleToHundred(scores, { fewerIsBetter: true }),
});
