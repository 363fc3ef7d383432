/**
 * Validation of custom resources against their schema, with the findings of Kubernetes, word by word. What did not change
 * in an update is not looked at again, so that a schema may become stricter than what is stored.
 * https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#validation-ratcheting
 */
import { isJsonObject, type JsonObject, type JsonValue, jsonEqual } from "@skiff/base";
import { type FieldError, fieldError } from "../field-error.ts";
import { correlatedItem } from "./correlate.ts";
import { scalarFindings } from "./scalar-checks.ts";
import type { StructuralSchema } from "./structural-schema.ts";

/** A value, where it is, and what it was before (`undefined`: not known, or not there). */
export interface Placed {
  readonly value: JsonValue;
  /** As in `spec.ports[0].name`; empty for the object as a whole. */
  readonly path: string;
  readonly old: JsonValue | undefined;
}

/** Findings in a value, and how many checks it took: of alternatives the one that got furthest is told of. */
export interface Outcome {
  readonly findings: readonly FieldError[];
  readonly weight: number;
}

/** All findings in a value. */
export const validateValue = (placed: Placed, schema: StructuralSchema): readonly FieldError[] =>
  outcomeOf(placed, schema).findings;

/** The path of a member. */
export const memberPath = (path: string, name: string): string => (path === "" ? name : `${path}.${name}`);

/** How a value's JSON type is called. */
export function valueType(value: JsonValue): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return typeof value === "bigint" ? "integer" : typeof value;
}

function outcomeOf(placed: Placed, schema: StructuralSchema): Outcome {
  const { value, old } = placed;
  if (old !== undefined && jsonEqual(value, old)) return { findings: [], weight: 0 };
  const findings: FieldError[] = [...typeFindings(placed, schema)];
  let weight = 2;
  if (value === null) return { findings: [...findings, ...enumFindings(placed, schema)], weight };
  if (schema.allOf.length + schema.anyOf.length + schema.oneOf.length > 0 || schema.not !== undefined) {
    findings.push(...junctionFindings(placed, schema));
    weight++;
  }
  const own = scalarFindings(placed, schema);
  findings.push(...own.findings);
  weight += own.weight;
  if (Array.isArray(value)) {
    findings.push(...listFindings(value, placed, schema));
    weight++;
  }
  if (schema.checks.enum !== undefined) {
    findings.push(...enumFindings(placed, schema));
    weight++;
  }
  if (isJsonObject(value)) {
    findings.push(...objectFindings(value, placed, schema));
    weight++;
  }
  return { findings, weight };
}

function* typeFindings({ value, path }: Placed, schema: StructuralSchema): Iterable<FieldError> {
  const types = schema.intOrString ? ["integer", "string"] : schema.type === "" ? [] : [schema.type];
  if (types.length === 0) return;
  if (value === null ? schema.nullable : types.some((type) => isOfType(value, type))) return;
  const found = valueType(value);
  const message = `${path} in body must be of type ${types.join(",")}: ${JSON.stringify(found)}`;
  yield fieldError.typeInvalid(path, found, message);
}

function isOfType(value: JsonValue, type: string): boolean {
  if (type === "number") return typeof value === "number" || typeof value === "bigint";
  return valueType(value) === type;
}

function* enumFindings({ value, path }: Placed, { checks }: StructuralSchema): Iterable<FieldError> {
  const values = checks.enum;
  if (values === undefined || values.some((one) => jsonEqual(one, value))) return;
  const shown = values.map((one) => (typeof one === "string" ? one : JSON.stringify(one)));
  yield fieldError.notSupported(path, value, shown);
}

function* listFindings(
  list: readonly JsonValue[],
  { path, old }: Placed,
  schema: StructuralSchema,
): Iterable<FieldError> {
  const { minItems, maxItems, uniqueItems } = schema.checks;
  if (schema.items !== undefined) {
    for (const [index, value] of list.entries()) {
      yield* validateValue({ value, path: `${path}[${index}]`, old: correlatedItem(value, old, schema) }, schema.items);
    }
  }
  if (minItems !== undefined && list.length < minItems) {
    yield fieldError.invalid(path, list.length, `${path} in body should have at least ${minItems} items`);
  }
  if (maxItems !== undefined && list.length > maxItems) yield fieldError.tooMany(path, list.length, maxItems);
  if (uniqueItems && list.some((item, index) => list.slice(0, index).some((other) => jsonEqual(item, other)))) {
    yield fieldError.invalid(path, list, `${path} in body shouldn't contain duplicates`);
  }
}

function* objectFindings(object: JsonObject, { path, old }: Placed, schema: StructuralSchema): Iterable<FieldError> {
  const { minProperties, maxProperties, required } = schema.checks;
  const size = Object.keys(object).length;
  if (minProperties !== undefined && size < minProperties) {
    yield fieldError.invalid(path, size, `${path} in body should have at least ${minProperties} properties`);
  }
  if (maxProperties !== undefined && size > maxProperties) yield fieldError.tooMany(path, size, maxProperties);
  for (const name of required) {
    if (object[name] === undefined) yield fieldError.required(memberPath(path, name));
  }
  const before = isJsonObject(old) ? old : {};
  for (const [name, value] of Object.entries(object)) {
    if (value === undefined) continue;
    const known = schema.properties.get(name);
    const member = known ?? (typeof schema.additional === "object" ? schema.additional : undefined);
    if (member !== undefined) yield* validateValue({ value, path: memberPath(path, name), old: before[name] }, member);
  }
}

/** A finding about the alternatives of a value has no path of its own. */
const nowhere = "<nil>";

function* junctionFindings(placed: Placed, schema: StructuralSchema): Iterable<FieldError> {
  const shown = JSON.stringify(placed.path);
  const refuse = (message: string) => fieldError.invalid(nowhere, "", message);
  if (schema.anyOf.length > 0) {
    const outcomes = schema.anyOf.map((one) => outcomeOf(placed, one));
    if (!outcomes.some(({ findings }) => findings.length === 0)) {
      yield refuse(`${shown} must validate at least one schema (anyOf)`);
      yield* furthest(outcomes);
    }
  }
  if (schema.oneOf.length > 0) {
    const outcomes = schema.oneOf.map((one) => outcomeOf(placed, one));
    const valid = outcomes.filter(({ findings }) => findings.length === 0).length;
    if (valid !== 1) {
      const found = valid === 0 ? "Found none valid" : `Found ${valid} valid alternatives`;
      yield refuse(`${shown} must validate one and only one schema (oneOf). ${found}`);
      if (valid === 0) yield* furthest(outcomes);
    }
  }
  if (schema.allOf.length > 0) {
    const outcomes = schema.allOf.map((one) => outcomeOf(placed, one));
    for (const { findings } of outcomes) yield* findings;
    const valid = outcomes.filter(({ findings }) => findings.length === 0).length;
    if (valid !== outcomes.length) {
      yield refuse(`${shown} must validate all the schemas (allOf)${valid === 0 ? ". None validated" : ""}`);
    }
  }
  if (schema.not !== undefined && outcomeOf(placed, schema.not).findings.length === 0) {
    yield refuse(`${shown} must not validate the schema (not)`);
  }
}

function furthest(outcomes: readonly Outcome[]): readonly FieldError[] {
  let best: Outcome | undefined;
  for (const outcome of outcomes) if (best === undefined || outcome.weight > best.weight) best = outcome;
  return best?.findings ?? [];
}
