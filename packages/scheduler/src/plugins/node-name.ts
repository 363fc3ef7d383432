import { Nodes } from "@skiff/api";
import { definePlugin, fits, rejects } from "../framework.ts";

/** A pod that names its node goes there and nowhere else. */
export const nodeName = definePlugin({
  name: "NodeName",
  retryOn: [{ resource: Nodes, change: "added" }],
  filter: ({ pod, node }) =>
    !pod.spec.nodeName || pod.spec.nodeName === node.name
      ? fits
      : rejects("node(s) didn't match the requested node name"),
});
