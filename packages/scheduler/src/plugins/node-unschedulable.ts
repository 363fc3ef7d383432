import { tolerates } from "@skiff/api";
import { definePlugin, fits, rejects } from "../framework.ts";

const taint = { key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" };

const refusal = rejects("node(s) were unschedulable");

/** Nothing new comes to a node that was cordoned, save what tolerates exactly that. */
export const nodeUnschedulable = definePlugin({
  name: "NodeUnschedulable",
  retryOn: [
    { kind: "nodeAdded" },
    {
      kind: "nodeUpdated",
      helps: ({ node, old }) => old.spec.unschedulable === true && node.spec.unschedulable !== true,
    },
  ],
  filter: ({ pod, node }) =>
    node.node.spec.unschedulable && !pod.spec.tolerations?.some((toleration) => tolerates(toleration, taint))
      ? refusal
      : fits,
});
