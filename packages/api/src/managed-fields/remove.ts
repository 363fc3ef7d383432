import { isJsonObject, type JsonObject, type JsonValue } from "@skiff/base";
import type { ListSchema, Schema } from "../schema/schema.ts";
import { below, type FieldSet, isEmptySet } from "./field-set.ts";
import { isGranular, memberSchema } from "./owned-fields.ts";
import { fieldElement, itemElement } from "./path-element.ts";

/** The object without the fields of a set, and without objects and lists that this empties. */
export function withoutFields(value: JsonObject, set: FieldSet, schema: Schema): JsonObject {
  return isEmptySet(set) ? value : (objectWithout(value, set, schema) ?? {});
}

function objectWithout(value: JsonObject, set: FieldSet, schema: Schema): JsonObject | undefined {
  const kept: [string, JsonValue | undefined][] = [];
  for (const [name, member] of Object.entries(value)) {
    const { member: gone, rest } = below(set, fieldElement(name));
    if (gone || member === undefined) continue;
    const left = isEmptySet(rest) ? member : valueWithout(member, rest, memberSchema(schema, name).schema);
    if (left !== undefined) kept.push([name, left]);
  }
  return kept.length === 0 ? undefined : Object.fromEntries(kept);
}

function valueWithout(value: JsonValue, set: FieldSet, schema: Schema): JsonValue | undefined {
  if (!isGranular(schema, value)) return value;
  if (Array.isArray(value)) return schema.kind === "list" ? listWithout(value, set, schema) : value;
  return isJsonObject(value) ? objectWithout(value, set, schema) : value;
}

function listWithout(value: readonly JsonValue[], set: FieldSet, schema: ListSchema): JsonValue[] | undefined {
  const kept: JsonValue[] = [];
  for (const item of value) {
    const { member: gone, rest } = below(set, itemElement(item, schema));
    if (gone) continue;
    const left = isEmptySet(rest) ? item : valueWithout(item, rest, schema.item);
    if (left !== undefined) kept.push(left);
  }
  return kept.length === 0 ? undefined : kept;
}
