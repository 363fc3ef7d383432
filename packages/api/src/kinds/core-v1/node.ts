import { defineResource } from "../../define-resource.ts";
import type { Node } from "../../generated/types/core-v1.ts";
import { cidrWarnings } from "../../validation/address-warnings.ts";
import { nodeColumns } from "./node-columns.ts";
import { checkDeclaredFeatures, checkNode, checkNodeUpdate } from "./node-validation.ts";

/** `podCIDR` is the first of `podCIDRs`: who knows only one of the fields sets both. */
function alignPodCIDRs({ spec }: Node): void {
  if (spec.podCIDR && !spec.podCIDRs?.length) spec.podCIDRs = [spec.podCIDR];
  else if (!spec.podCIDR && spec.podCIDRs?.[0]) spec.podCIDR = spec.podCIDRs[0];
}

function warnings({ spec }: Node): string[] {
  return [
    ...(spec.configSource ? ["spec.configSource: the feature is removed"] : []),
    ...(spec.externalID ? ["spec.externalID: this field is deprecated, and is unused by Kubernetes"] : []),
    ...(spec.podCIDRs ?? []).flatMap((range, index) => cidrWarnings(`spec.podCIDRs[${index}]`, range)),
  ];
}

/** `nodes`. */
export const Nodes = defineResource<Node>({
  group: "",
  version: "v1",
  kind: "Node",
  plural: "nodes",
  generation: "none",
  // A kubelet registers its node with the status it has.
  statusOnCreate: "kept",
  columns: nodeColumns,
  selectableFields: [{ path: "spec.unschedulable", value: ({ spec }) => String(spec?.unschedulable === true) }],
  warnings,
  validate: (node) => [...checkNode(node)],
  validateUpdate: (node, old) => [...checkNodeUpdate(node, old)],
  validateStatusUpdate: (node, old) => [...checkDeclaredFeatures(node.status), ...checkNodeUpdate(node, old)],
  defaults(node) {
    node.spec ??= {};
    alignPodCIDRs(node);
  },
  defaultStatus({ status }) {
    if (status?.capacity) status.allocatable ??= { ...status.capacity };
  },
});
