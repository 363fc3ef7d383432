import { defineResource } from "../../define-resource.ts";
import type { Node } from "../../generated/types/core-v1.ts";

/** `nodes`. */
export const Nodes = defineResource<Node>({
  group: "",
  version: "v1",
  kind: "Node",
  plural: "nodes",
});
