import { definePlugin, fits, rejects } from "../framework.ts";

const refusal = rejects("node(s) didn't match the requested node name");

/** A pod that names its node goes there and nowhere else. */
export const nodeName = definePlugin({
  name: "NodeName",
  retryOn: [{ kind: "nodeAdded" }],
  concerns: ({ spec }) => Boolean(spec.nodeName),
  filter: ({ pod, node }) => (!pod.spec.nodeName || pod.spec.nodeName === node.name ? fits : refusal),
});
