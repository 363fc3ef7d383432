/** What a JSON schema inside a CustomResourceDefinition may say at all, place by place. */
import { isJsonObject, type JsonObject, type JsonValue } from "@skiff/base";
import { fieldError } from "../../field-error.ts";
import type { Findings } from "../../validation/checks.ts";
import { checkListKeys, checkListTypes } from "./list-type-validation.ts";

const types = ["array", "boolean", "integer", "number", "object", "string"];

const unsupported: readonly (readonly [field: string, isSaid: (value: JsonValue) => boolean])[] = [
  ["id", (value) => value !== ""],
  ["additionalItems", () => true],
  ["patternProperties", (value) => isJsonObject(value) && Object.keys(value).length > 0],
  ["definitions", (value) => isJsonObject(value) && Object.keys(value).length > 0],
  ["dependencies", () => true],
  ["$ref", () => true],
];

/** Findings in a schema and all schemas below it. */
export function* checkJsonSchema(field: string, schema: JsonObject): Findings {
  yield* checkWords(field, schema);
  const { properties, additionalProperties } = schema;
  const named = isJsonObject(properties) ? Object.entries(properties) : [];
  if (named.length > 0 && (additionalProperties === false || isJsonObject(additionalProperties))) {
    const message = "additionalProperties and properties are mutual exclusive";
    yield fieldError.forbidden(`${field}.additionalProperties`, message);
  }
  if (isJsonObject(additionalProperties)) yield* checkJsonSchema(`${field}.additionalProperties`, additionalProperties);
  for (const [name, inner] of named) {
    if (isJsonObject(inner)) yield* checkJsonSchema(`${field}.properties[${name}]`, inner);
  }
  if (isJsonObject(schema.not)) yield* checkJsonSchema(`${field}.not`, schema.not);
  for (const junctor of ["allOf", "oneOf", "anyOf"] as const) {
    const inner = schema[junctor];
    if (!Array.isArray(inner)) continue;
    for (const [index, one] of inner.entries()) {
      if (isJsonObject(one)) yield* checkJsonSchema(`${field}.${junctor}[${index}]`, one);
    }
  }
  if (isJsonObject(schema.items)) yield* checkJsonSchema(`${field}.items`, schema.items);
  yield* checkListTypes(field, schema);
  yield* checkListKeys(field, schema);
}

function* checkWords(field: string, schema: JsonObject): Findings {
  const { type } = schema;
  if (typeof type === "string" && type !== "" && !types.includes(type)) {
    yield fieldError.notSupported(`${field}.type`, type, types);
  }
  for (const [name, isSaid] of unsupported) {
    const value = schema[name];
    if (value !== undefined && value !== null && isSaid(value)) {
      yield fieldError.forbidden(`${field}.${name}`, `${name} is not supported`);
    }
  }
  if (type === "null") {
    yield fieldError.forbidden(`${field}.type`, "type cannot be set to null, use nullable as an alternative");
  }
  if (Array.isArray(schema.items)) {
    yield fieldError.forbidden(`${field}.items`, "items must be a schema object and not an array");
  }
  if (schema.uniqueItems === true) {
    const message = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic";
    yield fieldError.forbidden(`${field}.uniqueItems`, message);
  }
  const preserves = "x-kubernetes-preserve-unknown-fields";
  if (schema[preserves] === false) {
    yield fieldError.invalid(`${field}.${preserves}`, false, "must be true or undefined");
  }
}
