import { defineResource } from "../../define-resource.ts";
import type { RuntimeClass } from "../../generated/types/node-v1.ts";
import type { Column } from "../../resource-definition.ts";
import { checkImmutable } from "../../validation/checks.ts";
import { age } from "../columns.ts";

const columns: readonly Column<RuntimeClass>[] = [{ title: "Handler", value: ({ handler }) => handler }, age];

/** `runtimeclasses.node.k8s.io`. */
export const RuntimeClasses = defineResource<RuntimeClass>({
  group: "node.k8s.io",
  version: "v1",
  kind: "RuntimeClass",
  plural: "runtimeclasses",
  columns,
  validateUpdate: (runtimeClass, old) => [...checkImmutable("handler", runtimeClass.handler, old.handler)],
});
