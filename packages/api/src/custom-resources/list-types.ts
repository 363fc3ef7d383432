import { isJsonObject, type JsonObject, type JsonValue } from "@skiff/base";
import { type FieldError, fieldError } from "../field-error.ts";
import { keyValue } from "./correlate.ts";
import type { StructuralSchema } from "./structural-schema.ts";
import { memberPath } from "./validate-value.ts";

/** Findings in lists that are sets or maps: items that are there twice. */
export function* duplicateItems(value: JsonValue, path: string, schema: StructuralSchema): Iterable<FieldError> {
  if (Array.isArray(value)) {
    const { items } = schema;
    if (items === undefined) return;
    for (const [index, item] of value.entries()) yield* duplicateItems(item, `${path}[${index}]`, items);
    if (schema.listType !== "atomic") yield* twice(value, path, schema);
    return;
  }
  if (!isJsonObject(value)) return;
  for (const [name, member] of Object.entries(value)) {
    const { additional } = schema;
    const known = schema.properties.get(name) ?? (typeof additional === "object" ? additional : undefined);
    if (known !== undefined && member !== undefined) yield* duplicateItems(member, memberPath(path, name), known);
  }
}

function* twice(list: readonly JsonValue[], path: string, schema: StructuralSchema): Iterable<FieldError> {
  const seen = new Set<string>();
  for (const [index, item] of list.entries()) {
    const identity = identityOf(item, schema);
    const text = sortedText(identity);
    if (seen.has(text)) yield fieldError.duplicate(`${path}[${index}]`, identity);
    seen.add(text);
  }
}

function identityOf(item: JsonValue, schema: StructuralSchema): JsonValue {
  if (schema.listType === "set" || !isJsonObject(item)) return item;
  const keys: JsonObject = {};
  for (const key of [...schema.listKeys].sort()) {
    const value = keyValue(item, key, schema);
    if (value !== undefined) keys[key] = value;
  }
  return keys;
}

/** Members in order, so that equal objects have equal texts. */
function sortedText(value: JsonValue): string {
  return JSON.stringify(value, (_key, member: unknown) =>
    isJsonObject(member) ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1))) : member,
  );
}
