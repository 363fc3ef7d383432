import { defineResource } from "../../define-resource.ts";
import { fieldError } from "../../field-error.ts";
import type { PriorityClass } from "../../generated/types/scheduling-v1.ts";
import type { Column } from "../../resource-definition.ts";
import { checkImmutable, checkRequiredChoice, type Findings } from "../../validation/checks.ts";
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

const highestOfUsers = 1_000_000_000;
const systemClasses: Readonly<Record<string, number>> = {
  "system-node-critical": 2_000_001_000,
  "system-cluster-critical": 2_000_000_000,
};

function* checkClass({
  metadata,
  value = 0,
  globalDefault = false,
  preemptionPolicy: policy,
}: PriorityClass): Findings {
  if (metadata.name.startsWith("system-")) {
    const problem = systemProblem(metadata.name, value, globalDefault);
    const message = "priority class names with 'system-' prefix are reserved for system use only. error: ";
    if (problem !== undefined) yield fieldError.forbidden("metadata.name", message + problem);
  } else if (value > highestOfUsers) {
    yield fieldError.forbidden("value", `maximum allowed value of a user defined priority is ${highestOfUsers}`);
  }
  yield* checkRequiredChoice("preemptionPolicy", policy, ["PreemptLowerPriority", "Never"]);
}

function systemProblem(name: string, value: number, globalDefault: boolean): string | undefined {
  const known = systemClasses[name];
  if (known === undefined) return `${name} is not a known system priority class`;
  if (value !== known) return `value of ${name} PriorityClass must be ${known}`;
  return globalDefault ? `globalDefault of ${name} PriorityClass must be false` : undefined;
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
  validate: (priorityClass, old) => (old === undefined ? [...checkClass(priorityClass)] : []),
  validateUpdate: (priorityClass, old) => [...checkUpdate(priorityClass, old)],
});
