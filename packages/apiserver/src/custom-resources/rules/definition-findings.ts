/** Rules of CustomResourceDefinitions, checked when the definition is written: they must compile, and not cost too much. */
import { type CustomResourceDefinition, type FieldError, fieldError } from "@skiff/api";
import { isJsonObject, jsonEqual } from "@skiff/base";
import { costLimits } from "@skiff/cel";
import { type CompiledRule, compileRules, type RuleNode } from "./compile-rules.ts";

/** Findings in the rules of all versions that are new or changed. */
export function definitionFindings(
  { spec }: CustomResourceDefinition,
  old: CustomResourceDefinition | undefined,
): readonly FieldError[] {
  return spec.versions.flatMap(({ name, schema }, index) => {
    const before = old?.spec.versions.find((version) => version.name === name)?.schema;
    const json: unknown = schema?.openAPIV3Schema;
    if (!isJsonObject(json) || jsonEqual(before?.openAPIV3Schema, json)) return [];
    const node = compileRules(json);
    return node === undefined ? [] : schemaFindings(`spec.versions[${index}].schema.openAPIV3Schema`, node);
  });
}

interface Cost {
  readonly field: string;
  readonly cost: number;
}

interface Place {
  readonly field: string;
  /** How often values can be here; `undefined`: nothing limits it. */
  readonly times: number | undefined;
  /** The list whose items cannot be told apart from one state to the next. */
  readonly uncorrelated: string | undefined;
}

const limited =
  "(try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)";

function tooExpensive(what: string, cost: number, limit: number): string {
  const factor = cost / limit;
  const shown = factor > 100 ? "more than 100x" : `${factor < 1.5 ? factor.toFixed(6) : factor.toFixed(1)}x`;
  return `${what} exceeds budget by factor of ${shown} ${limited}`;
}

function schemaFindings(field: string, node: RuleNode): readonly FieldError[] {
  const findings: FieldError[] = [];
  const costs: Cost[] = [];
  collect(node, { field, times: 1, uncorrelated: undefined }, findings, costs);
  const total = costs.reduce((sum, { cost }) => sum + cost, 0);
  const limit = costLimits.estimatedDefinition;
  if (total <= limit) return findings;
  const worst = [...costs].sort((a, b) => b.cost - a.cost).filter(({ cost }) => cost > limit / 4);
  const what = "contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema";
  for (const { field: rule } of worst.slice(0, 4)) findings.push(fieldError.forbidden(rule, what));
  const name = "x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema";
  findings.push(fieldError.forbidden(field, tooExpensive(name, total, limit)));
  return findings;
}

function collect(node: RuleNode, place: Place, findings: FieldError[], costs: Cost[]): void {
  const { field, times, uncorrelated } = place;
  for (const [index, rule] of node.rules.entries()) {
    const here = `${field}.x-kubernetes-validations[${index}]`;
    findings.push(...ruleTextFindings(here, rule), ...compiledFindings(here, rule, uncorrelated));
    const cost = costOf(rule, times ?? node.mostTimes);
    if (cost === undefined) continue;
    costs.push({ field: `${here}.rule`, cost });
    const limit = costLimits.estimatedExpression;
    if (cost > limit)
      findings.push(fieldError.forbidden(`${here}.rule`, tooExpensive("estimated rule cost", cost, limit)));
  }
  for (const [name, member] of node.properties) {
    collect(member, { ...place, field: `${field}.properties[${name}]` }, findings, costs);
  }
  const { checks, listType } = node.schema;
  const many = (most: number | undefined) => (times === undefined || most === undefined ? undefined : times * most);
  if (node.additional !== undefined) {
    const inner = { ...place, field: `${field}.additionalProperties`, times: many(checks.maxProperties) };
    collect(node.additional, inner, findings, costs);
  }
  if (node.items !== undefined) {
    const lost = listType === "map" ? uncorrelated : (uncorrelated ?? field);
    const inner = { field: `${field}.items`, times: many(checks.maxItems), uncorrelated: lost };
    collect(node.items, inner, findings, costs);
  }
}

const costOf = ({ program }: CompiledRule, times: number): number | undefined =>
  program === undefined ? undefined : program.estimateCost().max * times;

const reasons = ["FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"];

function* ruleTextFindings(field: string, { text }: CompiledRule): Iterable<FieldError> {
  const { rule, message, messageExpression, reason, fieldPath } = text;
  if (rule.trim() === "") yield fieldError.required(`${field}.rule`, "rule is not specified");
  if (message !== undefined && message.trim() === "") {
    yield fieldError.invalid(`${field}.message`, message, "message must be non-empty if specified");
  } else if (message?.trim().includes("\n") === true) {
    yield fieldError.invalid(`${field}.message`, message, "message must not contain line breaks");
  } else if (message === undefined && rule.trim().includes("\n")) {
    yield fieldError.required(`${field}.message`, "message must be specified if rule contains line breaks");
  }
  if (messageExpression !== undefined && messageExpression.trim() === "") {
    yield fieldError.required(`${field}.messageExpression`, "messageExpression must be non-empty if specified");
  }
  if (reason !== undefined && !reasons.includes(reason)) {
    yield fieldError.notSupported(`${field}.reason`, reason, reasons);
  }
  if (fieldPath !== undefined && !/^(?:\.[^.[\s]+|\['(?:[^'\\]|\\.)*'\])+$/.test(fieldPath)) {
    const why = fieldPath.includes("\n") ? "fieldPath must not contain line breaks" : "fieldPath must be a valid path";
    yield fieldError.invalid(`${field}.fieldPath`, fieldPath, why);
  }
}

function* compiledFindings(
  field: string,
  { text, program, failure, usesOldSelf, message }: CompiledRule,
  uncorrelated: string | undefined,
): Iterable<FieldError> {
  if (text.rule.trim() !== "" && program === undefined) yield fieldError.invalid(`${field}.rule`, text.rule, failure);
  if (message.kind === "failed") {
    yield fieldError.invalid(`${field}.messageExpression`, text.messageExpression, message.failure);
  }
  if (usesOldSelf && uncorrelated !== undefined) {
    const why = `oldSelf cannot be used on the uncorrelatable portion of the schema within ${uncorrelated}`;
    yield fieldError.invalid(`${field}.rule`, text.rule, why);
  }
  if (text.optionalOldSelf !== undefined && program !== undefined && !usesOldSelf) {
    const why = "may not be set if oldSelf is not used in rule";
    yield fieldError.invalid(`${field}.optionalOldSelf`, text.optionalOldSelf, why);
  }
}
