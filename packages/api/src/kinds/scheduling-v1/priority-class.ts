import { defineResource } from "../../define-resource.ts";
import { fieldError } from "../../field-error.ts";
import type { PriorityClass } from "../../generated/types/scheduling-v1.ts";
import type { Column } from "../../resource-definition.ts";
import { checkImmutable, type Findings } from "../../validation/checks.ts";
import { age } from "../columns.ts";

const columns: readonly Column<PriorityClass>[] = [
  { title: "Value", type: "integer", value: ({ value }) => value ?? 0 },
  { title: "Global-Default", type: "boolean", value: ({ globalDefault }) => globalDefault === true },
  age,
  { title: "PreemptionPolicy", value: ({ preemptionPolicy }) => preemptionPolicy ?? "PreemptLowerPriority" },
];

function* checkUpdate(priorityClass: PriorityClass, old: PriorityClass): Findings {
  if ((priorityClass.value ?? 0) !== (old.value ?? 0)) {
    yield fieldError.forbidden("value", "may not be changed in an update.");
  }
  yield* checkImmutable("preemptionPolicy", priorityClass.preemptionPolicy, old.preemptionPolicy);
}

/** `priorityclasses.scheduling.k8s.io`. */
export const PriorityClasses = defineResource<PriorityClass>({
  group: "scheduling.k8s.io",
  version: "v1",
  kind: "PriorityClass",
  plural: "priorityclasses",
  generation: "created",
  columns,
  defaults(priorityClass) {
    priorityClass.preemptionPolicy ??= "PreemptLowerPriority";
    priorityClass.value ??= 0;
  },
  validateUpdate: (priorityClass, old) => [...checkUpdate(priorityClass, old)],
});
