import { jsonEqual } from "@skiff/base";
import { defineResource } from "../../define-resource.ts";
import { fieldError } from "../../field-error.ts";
import type { RuntimeClass } from "../../generated/types/node-v1.ts";
import type { Column } from "../../resource-definition.ts";
import { checkDnsLabel, checkImmutable, type Findings } from "../../validation/checks.ts";
import { checkLabels } from "../../validation/labels.ts";
import { age } from "../columns.ts";
import { checkOverhead } from "../core-v1/resource-validation.ts";
import { checkTolerations } from "../core-v1/scheduling-validation.ts";
import { nodeLabelsWarnings } from "../node-label-warnings.ts";

const columns: readonly Column<RuntimeClass>[] = [{ title: "Handler", value: ({ handler }) => handler }, age];

function* checkClass({ handler, overhead, scheduling }: RuntimeClass): Findings {
  yield* checkDnsLabel("handler", handler ?? "");
  if (overhead?.podFixed) yield* checkOverhead("overhead", overhead.podFixed);
  if (scheduling === undefined) return;
  yield* checkLabels("scheduling.nodeSelector", scheduling.nodeSelector);
  const { tolerations = [] } = scheduling;
  yield* checkTolerations("scheduling.tolerations", tolerations);
  for (const [index, toleration] of tolerations.entries()) {
    if (!tolerations.slice(0, index).some((other) => jsonEqual(other, toleration))) continue;
    yield fieldError.duplicate(`scheduling.tolerations[${index}]`, toleration);
  }
}

/** `runtimeclasses.node.k8s.io`. */
export const RuntimeClasses = defineResource<RuntimeClass>({
  group: "node.k8s.io",
  version: "v1",
  kind: "RuntimeClass",
  plural: "runtimeclasses",
  columns,
  validate: (runtimeClass) => [...checkClass(runtimeClass)],
  validateUpdate: (runtimeClass, old) => [...checkImmutable("handler", runtimeClass.handler, old.handler)],
  warnings: ({ scheduling }) => nodeLabelsWarnings("scheduling.nodeSelector", scheduling?.nodeSelector),
});
