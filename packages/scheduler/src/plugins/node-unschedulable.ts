import { Nodes, tolerates } from "@skiff/api";
import { definePlugin, fits, rejects } from "../framework.ts";

const taint = { key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" };

/** Nothing new comes to a node that was cordoned, save what tolerates exactly that. */
export const nodeUnschedulable = definePlugin({
  name: "NodeUnschedulable",
  retryOn: [
    { resource: Nodes, change: "added" },
    { resource: Nodes, change: "updated" },
  ],
  filter: ({ pod, node }) =>
    node.node.spec.unschedulable && !pod.spec.tolerations?.some((toleration) => tolerates(toleration, taint))
      ? rejects("node(s) were unschedulable")
      : fits,
});
