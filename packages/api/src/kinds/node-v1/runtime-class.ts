import { defineResource } from "../../define-resource.ts";
import type { RuntimeClass } from "../../generated/types/node-v1.ts";

/** `runtimeclasses.node.k8s.io`. */
export const RuntimeClasses = defineResource<RuntimeClass>({
  group: "node.k8s.io",
  version: "v1",
  kind: "RuntimeClass",
  plural: "runtimeclasses",
});
