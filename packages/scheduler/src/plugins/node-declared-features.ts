import { featuresToRun, undeclaredBy } from "@skiff/api";
import { jsonEqual } from "@skiff/base";
import { definePlugin, fits, rejects, skip } from "../framework.ts";

const refusal = rejects("node(s) didn't match Pod's required features");

/** Pods that need something of their nodes which not all can do go to those that declare it. */
export const nodeDeclaredFeatures = definePlugin({
  name: "NodeDeclaredFeatures",
  retryOn: [
    { kind: "nodeAdded" },
    {
      kind: "nodeUpdated",
      helps: ({ node, old }) => !jsonEqual(node.status?.declaredFeatures ?? [], old.status?.declaredFeatures ?? []),
    },
  ],
  preFilter({ spec }) {
    const features = featuresToRun(spec);
    if (features.length === 0) return skip;
    return {
      kind: "look",
      filter: ({ node: { node } }) => (undeclaredBy(node.status, features).length === 0 ? fits : refusal),
    };
  },
});
