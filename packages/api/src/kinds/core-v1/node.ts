import { defineResource } from "../../define-resource.ts";
import type { Node } from "../../generated/types/core-v1.ts";
import { nodeColumns } from "./node-columns.ts";
import { checkNode, checkNodeUpdate } from "./node-validation.ts";

/** `podCIDR` is the first of `podCIDRs`: who knows only one of the fields sets both. */
function alignPodCIDRs({ spec }: Node): void {
  if (spec.podCIDR && !spec.podCIDRs?.length) spec.podCIDRs = [spec.podCIDR];
  else if (!spec.podCIDR && spec.podCIDRs?.[0]) spec.podCIDR = spec.podCIDRs[0];
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
  validate: (node) => [...checkNode(node)],
  validateUpdate: (node, old) => [...checkNodeUpdate(node, old)],
  validateStatusUpdate: (node, old) => [...checkNodeUpdate(node, old)],
  defaults(node) {
    node.spec ??= {};
    alignPodCIDRs(node);
    if (node.status?.capacity) node.status.allocatable ??= { ...node.status.capacity };
  },
});
