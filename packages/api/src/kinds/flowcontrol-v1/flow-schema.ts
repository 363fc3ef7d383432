import { jsonEqual } from "@skiff/base";
import { defineResource } from "../../define-resource.ts";
import { fieldError } from "../../field-error.ts";
import type { FlowSchema } from "../../generated/types/flowcontrol-v1.ts";
import type { Column } from "../../resource-definition.ts";
import { type Findings, invalidFor } from "../../validation/checks.ts";
import { dnsSubdomain } from "../../validation/names.ts";
import { age } from "../columns.ts";
import { bootstrapFlowSchemas } from "./bootstrap.ts";
import { checkConditions } from "./condition-rules.ts";
import { checkRule } from "./flow-schema-rules.ts";

const highestPrecedence = 10_000;
const methods = ["ByNamespace", "ByUser"];

function isDangling({ status }: FlowSchema): string {
  return status?.conditions?.find(({ type }) => type === "Dangling")?.status ?? "?";
}

const columns: readonly Column<FlowSchema>[] = [
  {
    title: "PriorityLevel",
    description:
      "`priorityLevelConfiguration` should reference a PriorityLevelConfiguration in the cluster. If the reference cannot be resolved, the FlowSchema will be ignored and marked as invalid in its status. Required.",
    value: ({ spec }) => spec.priorityLevelConfiguration?.name,
  },
  {
    title: "MatchingPrecedence",
    type: "integer",
    description:
      "`matchingPrecedence` is used to choose among the FlowSchemas that match a given request. The chosen FlowSchema is among those with the numerically lowest (which we take to be logically highest) MatchingPrecedence.  Each MatchingPrecedence value must be ranged in [1,10000]. Note that if the precedence is not specified, it will be set to 1000 as default.",
    value: ({ spec }) => spec.matchingPrecedence ?? 0,
  },
  {
    title: "DistinguisherMethod",
    description: "Type of flow distinguisher method.",
    value: ({ spec }) => spec.distinguisherMethod?.type ?? "<none>",
  },
  age,
  {
    title: "MissingPL",
    description: "references a broken or non-existent PriorityLevelConfiguration",
    value: isDangling,
  },
];

function* checkSpec({ metadata, spec }: FlowSchema): Findings {
  const { matchingPrecedence = 0, distinguisherMethod, priorityLevelConfiguration, rules = [] } = spec;
  const field = "spec.matchingPrecedence";
  if (matchingPrecedence <= 0) yield fieldError.invalid(field, matchingPrecedence, "must be a positive value");
  if (matchingPrecedence > highestPrecedence) {
    yield fieldError.invalid(field, matchingPrecedence, `must not be greater than ${highestPrecedence}`);
  }
  if (matchingPrecedence === 1 && metadata.name !== "exempt") {
    yield fieldError.invalid(field, 1, "only the schema named 'exempt' may have matchingPrecedence 1");
  }
  if (distinguisherMethod && !methods.includes(distinguisherMethod.type)) {
    yield fieldError.notSupported("spec.distinguisherMethod.type", distinguisherMethod.type, methods);
  }
  const level = priorityLevelConfiguration?.name ?? "";
  const levelField = "spec.priorityLevelConfiguration.name";
  if (level === "") yield fieldError.required(levelField, "must reference a priority level");
  else yield* invalidFor(levelField, level, dnsSubdomain(level));
  for (const [at, rule] of rules.entries()) yield* checkRule(`spec.rules[${at}]`, rule);
}

function* checkSchema(schema: FlowSchema): Findings {
  const { metadata, spec, status } = schema;
  yield* checkSpec(schema);
  const fixed = bootstrapFlowSchemas.find(({ name, mandatory }) => mandatory && name === metadata.name);
  if (fixed !== undefined && !jsonEqual(spec, fixed.spec)) {
    yield fieldError.invalid("spec", spec, `spec of '${metadata.name}' must equal the fixed value`);
  }
  yield* checkConditions(status?.conditions);
}

/** `flowschemas.flowcontrol.apiserver.k8s.io`. */
export const FlowSchemas = defineResource<FlowSchema>({
  group: "flowcontrol.apiserver.k8s.io",
  version: "v1",
  kind: "FlowSchema",
  plural: "flowschemas",
  columns,
  defaults({ spec }) {
    if (spec && !spec.matchingPrecedence) spec.matchingPrecedence = 1000;
  },
  validate: (schema) => [...checkSchema(schema)],
  validateStatusUpdate: ({ status }) => [...checkConditions(status?.conditions)],
});
