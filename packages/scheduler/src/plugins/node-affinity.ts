import { Nodes, nodeSelectorTermMatches, podFitsNodeLabels } from "@skiff/api";
import { definePlugin, fits, rejects, scaleToHundred } from "../framework.ts";

/** `nodeSelector` and node affinity: what is required must match, what is preferred earns its weight. */
export const nodeAffinity = definePlugin({
  name: "NodeAffinity",
  weight: 2,
  retryOn: [
    { resource: Nodes, change: "added" },
    { resource: Nodes, change: "updated" },
  ],
  filter: ({ pod, node }) =>
    podFitsNodeLabels(pod.spec, node.node) ? fits : rejects("node(s) didn't match Pod's node affinity/selector"),
  score: ({ pod, node }) =>
    (pod.spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [])
      .filter(({ preference }) => nodeSelectorTermMatches(preference, node.node))
      .reduce((sum, { weight }) => sum + weight, 0),
  normalize: (scores) => scaleToHundred(scores, { fewerIsBetter: false }),
});
