/**
 * Whether a schema is structural: every field has a type of its own, and alternatives only restrict what is there.
 * https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema
 */
import { isJsonObject, type JsonObject, type JsonValue, jsonEqual } from "@skiff/base";
import { goPattern } from "../../custom-resources/go-pattern.ts";
import { type FieldError, fieldError, fieldErrorText } from "../../field-error.ts";
import type { Findings } from "../../validation/checks.ts";

type Level = "root" | "item" | "field";

const intOrString = [{ type: "integer" }, { type: "string" }];
const embeds = "x-kubernetes-embedded-resource";
const preserves = "x-kubernetes-preserve-unknown-fields";
const isIntOrString = "x-kubernetes-int-or-string";

/** Findings in the order of their texts. */
export function structuralFindings(field: string, schema: JsonObject): readonly FieldError[] {
  const found = [...checkShape(field, schema, "root"), ...checkCompleteness(field, schema)];
  return found.sort((a, b) => (fieldErrorText(a) < fieldErrorText(b) ? -1 : 1));
}

const membersOf = (value: JsonValue | undefined): readonly (readonly [string, JsonObject])[] =>
  isJsonObject(value)
    ? Object.entries(value).filter((pair): pair is [string, JsonObject] => isJsonObject(pair[1]))
    : [];
const listOf = (value: JsonValue | undefined): readonly JsonObject[] =>
  Array.isArray(value) ? value.filter(isJsonObject) : [];

function* checkShape(field: string, schema: JsonObject, level: Level): Findings {
  const { items, additionalProperties: additional } = schema;
  if (schema.type === "array" && items === undefined) yield fieldError.required(`${field}.items`, "must be specified");
  if (isJsonObject(items)) yield* checkShape(`${field}.items`, items, "item");
  for (const [name, member] of membersOf(schema.properties)) {
    yield* checkShape(`${field}.properties[${name}]`, member, "field");
  }
  if (additional !== undefined && level === "root") {
    yield fieldError.forbidden(`${field}.additionalProperties`, "must not be used at the root");
  }
  if (isJsonObject(additional)) yield* checkShape(`${field}.additionalProperties`, additional, "field");
  yield* checkExtensions(field, schema);
  yield* checkJunctors(field, schema, {
    skipAnyOf: jsonEqual(schema.anyOf, intOrString),
    skipFirstAllOf: jsonEqual(listOf(schema.allOf)[0]?.anyOf, intOrString),
  });
  yield* checkType(field, schema, level);
  yield* checkTypeMembers(field, schema, level);
}

function* checkExtensions(field: string, schema: JsonObject): Findings {
  if (schema[isIntOrString] !== true) return;
  for (const other of [preserves, embeds]) {
    if (schema[other] !== true) continue;
    yield fieldError.invalid(`${field}.${other}`, true, "must be false if x-kubernetes-int-or-string is true");
  }
}

const missing: Readonly<Record<Level, string>> = {
  root: "must not be empty at the root",
  item: "must not be empty for specified array items",
  field: "must not be empty for specified object fields",
};

function* checkType(field: string, schema: JsonObject, level: Level): Findings {
  const type = typeof schema.type === "string" ? schema.type : "";
  const embedded = schema[embeds] === true;
  const message = "must be object if x-kubernetes-embedded-resource is true";
  if (embedded && type === "") yield fieldError.required(`${field}.type`, message);
  else if (embedded && type !== "object") yield fieldError.invalid(`${field}.type`, type, message);
  else if (type === "" && schema[isIntOrString] !== true && schema[preserves] !== true) {
    yield fieldError.required(`${field}.type`, missing[level]);
  }
  if (embedded && schema.additionalProperties !== undefined) {
    const why = "must not be used if x-kubernetes-embedded-resource is set";
    yield fieldError.forbidden(`${field}.additionalProperties`, why);
  }
  if (level === "root" && type !== "" && type !== "object") {
    yield fieldError.invalid(`${field}.type`, type, "must be object at the root");
  }
}

/** Type and metadata are as they are, whatever a schema says of them. */
function* checkTypeMembers(field: string, schema: JsonObject, level: Level): Findings {
  const embedded = schema[embeds] === true;
  const properties = new Map(membersOf(schema.properties));
  if (level === "root" || embedded) {
    for (const name of ["kind", "apiVersion"]) {
      const type = properties.get(name)?.type ?? "";
      if (properties.has(name) && type !== "string") {
        yield fieldError.invalid(`${field}.properties[${name}].type`, type, "must be string");
      }
    }
    const metadata = properties.get("metadata");
    if (metadata !== undefined) yield* checkMetadata(`${field}.properties[metadata]`, metadata, level);
  }
  if (embedded && schema[preserves] !== true && properties.size === 0) {
    const message =
      "must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields";
    yield fieldError.required(`${field}.properties`, message);
  }
}

function* checkMetadata(field: string, metadata: JsonObject, level: Level): Findings {
  const { type, properties, default: _default, description: _description, ...rest } = metadata;
  if (type !== "object") yield fieldError.invalid(`${field}.type`, type ?? "", "must be object");
  if (level !== "root") return;
  const others = membersOf(properties).filter(([name]) => name !== "name" && name !== "generateName");
  if (others.length === 0 && Object.keys(rest).length === 0 && _description === undefined) return;
  const message = "must not specify anything other than name and generateName, but metadata is implicitly specified";
  yield fieldError.forbidden(field, message);
}

interface Skips {
  readonly skipAnyOf: boolean;
  readonly skipFirstAllOf: boolean;
}

const noSkips: Skips = { skipAnyOf: false, skipFirstAllOf: false };

function* checkJunctors(field: string, schema: JsonObject, { skipAnyOf, skipFirstAllOf }: Skips): Findings {
  if (!skipAnyOf) {
    for (const [index, one] of listOf(schema.anyOf).entries()) yield* checkNested(`${field}.anyOf[${index}]`, one);
  }
  for (const [index, one] of listOf(schema.allOf).entries()) {
    const skips = { skipAnyOf: skipFirstAllOf && index === 0, skipFirstAllOf: false };
    yield* checkNested(`${field}.allOf[${index}]`, one, skips);
  }
  for (const [index, one] of listOf(schema.oneOf).entries()) yield* checkNested(`${field}.oneOf[${index}]`, one);
  if (isJsonObject(schema.not)) yield* checkNested(`${field}.not`, schema.not);
  if (typeof schema.pattern === "string" && schema.pattern !== "") {
    const compiled = goPattern(schema.pattern);
    if (compiled.kind === "failed") {
      const message = `must be a valid regular expression, but isn't: ${compiled.message}`;
      yield fieldError.invalid(`${field}.pattern`, schema.pattern, message);
    }
  }
}

const isThere = (value: JsonValue): boolean => value !== null && value !== "" && value !== false;
const hasItems = (value: JsonValue): boolean => Array.isArray(value) && value.length > 0;

/** What alternatives must not say, because it is said once for all of them outside. */
const unnested: readonly (readonly [field: string, message: string, isSaid: (value: JsonValue) => boolean])[] = [
  ["type", "must be empty to be structural", isThere],
  ["additionalProperties", "must be undefined to be structural", () => true],
  ["default", "must be undefined to be structural", () => true],
  ["title", "must be empty to be structural", isThere],
  ["description", "must be empty to be structural", isThere],
  ["nullable", "must be false to be structural", isThere],
  ["externalDocs", "must be undefined to be structural", () => true],
  [preserves, "must be false to be structural", isThere],
  [embeds, "must be false to be structural", isThere],
  [isIntOrString, "must be false to be structural", isThere],
  ["x-kubernetes-list-map-keys", "must be empty to be structural", hasItems],
  ["x-kubernetes-list-type", "must be undefined to be structural", () => true],
  ["x-kubernetes-map-type", "must be undefined to be structural", () => true],
  ["x-kubernetes-validations", "must be empty to be structural", hasItems],
];

function* checkNested(field: string, schema: JsonObject, skips: Skips = noSkips): Findings {
  yield* checkJunctors(field, schema, skips);
  if (isJsonObject(schema.items)) yield* checkNested(`${field}.items`, schema.items);
  for (const [name, member] of membersOf(schema.properties)) yield* checkNested(`${field}.properties[${name}]`, member);
  for (const [name, message, isSaid] of unnested) {
    const value = schema[name];
    if (value !== undefined && isSaid(value)) yield fieldError.forbidden(`${field}.${name}`, message);
  }
  if (isJsonObject(schema.properties) && schema.properties.metadata !== undefined) {
    yield fieldError.forbidden(`${field}.properties[metadata]`, "must not be specified in a nested context");
  }
}

/** What alternatives restrict must be said outside of them as well. */
function* checkCompleteness(field: string, schema: JsonObject): Findings {
  for (const [name, member] of membersOf(schema.properties)) {
    yield* checkCompleteness(`${field}.properties[${name}]`, member);
  }
  if (isJsonObject(schema.items)) yield* checkCompleteness(`${field}.items`, schema.items);
  const { additionalProperties: additional } = schema;
  if (isJsonObject(additional)) yield* checkCompleteness(`${field}.additionalProperties`, additional);
  yield* checkAlternatives({ field, schema }, { field, schema });
}

interface Place {
  readonly field: string;
  readonly schema: JsonObject;
}

function* checkAlternatives(outside: Place, { field, schema }: Place): Findings {
  for (const junctor of ["allOf", "anyOf", "oneOf"]) {
    for (const [index, one] of listOf(schema[junctor]).entries()) {
      yield* checkMentioned(outside, { field: `${field}.${junctor}[${index}]`, schema: one });
    }
  }
  if (isJsonObject(schema.not)) yield* checkMentioned(outside, { field: `${field}.not`, schema: schema.not });
}

function* checkMentioned(outside: Place, nested: Place): Findings {
  yield* checkAlternatives(outside, nested);
  const { items, properties } = nested.schema;
  if (isJsonObject(items)) {
    const inner = outside.schema.items;
    const here = `${outside.field}.items`;
    const there = `${nested.field}.items`;
    if (isJsonObject(inner)) yield* checkMentioned({ field: here, schema: inner }, { field: there, schema: items });
    else yield fieldError.required(here, `because it is defined in ${there}`);
  }
  const known = new Map(membersOf(outside.schema.properties));
  for (const [name, schema] of membersOf(properties)) {
    const member = known.get(name);
    const here = `${outside.field}.properties[${name}]`;
    const there = `${nested.field}.properties[${name}]`;
    if (member !== undefined) yield* checkMentioned({ field: here, schema: member }, { field: there, schema });
    else yield fieldError.required(here, `because it is defined in ${there}`);
  }
}
