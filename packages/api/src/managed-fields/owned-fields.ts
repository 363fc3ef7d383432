import { isJsonObject, type JsonObject, type JsonValue } from "@skiff/base";
import type { Schema } from "../schema/schema.ts";
import { type FieldSet, FieldSetBuilder } from "./field-set.ts";
import { fieldElement, itemElement } from "./path-element.ts";

/** The fields that a configuration has an opinion about. Throws `PathElementError`. */
export function fieldSetOf(value: JsonObject, schema: Schema): FieldSet {
  const builder = new FieldSetBuilder();
  collect(value, schema, { path: [], builder });
  return builder.build();
}

interface Collection {
  readonly path: string[];
  readonly builder: FieldSetBuilder;
}

/** How the members of an object, and the items of a list, are merged: one by one, or all as one value. */
export const isGranular = (schema: Schema, value: JsonValue | undefined): boolean => {
  switch (schema.kind) {
    case "struct":
    case "map":
      return !schema.atomic;
    case "list":
      return schema.listType !== "atomic";
    case "any":
      return isJsonObject(value);
    default:
      return false;
  }
};

/** The schema of a member of an object, and whether its name is one that the schema knows. */
export function memberSchema(schema: Schema, name: string): { readonly schema: Schema; readonly named: boolean } {
  if (schema.kind === "map") return { schema: schema.value, named: false };
  const field = schema.kind === "struct" ? schema.field(name) : undefined;
  return field === undefined ? { schema: freeForm, named: false } : { schema: field.schema, named: true };
}

const freeForm: Schema = { kind: "any", object: false };

function collect(value: JsonValue, schema: Schema, { path, builder }: Collection): void {
  if (!isGranular(schema, value)) {
    builder.insert(path);
    return;
  }
  if (schema.kind === "list") {
    if (!Array.isArray(value)) return;
    for (const item of value) {
      path.push(itemElement(item, schema));
      collect(item, schema.item, { path, builder });
      builder.insert(path);
      path.pop();
    }
    return;
  }
  if (!isJsonObject(value)) return;
  for (const [name, member] of Object.entries(value)) {
    if (member === undefined) continue;
    const { schema: inner, named } = memberSchema(schema, name);
    path.push(fieldElement(name));
    collect(member, inner, { path, builder });
    const hollow = member === null || (isJsonObject(member) && Object.keys(member).length === 0);
    if (hollow || !named) builder.insert(path);
    path.pop();
  }
}

/** Fields of objects whose names the schema knows become members where only fields below them are. */
export function withNamedFields(set: FieldSet, schema: Schema): FieldSet {
  const builder = new FieldSetBuilder();
  addNamed(set, schema, { path: [], builder });
  return builder.build();
}

function addNamed(set: FieldSet, schema: Schema, { path, builder }: Collection): void {
  for (const [element, child] of Object.entries(set)) {
    if (element === "." || !isJsonObject(child)) continue;
    path.push(element);
    const members = Object.keys(child);
    const name = element.startsWith("f:") ? element.slice(2) : undefined;
    const inner = name === undefined ? { schema: itemSchema(schema), named: false } : memberSchema(schema, name);
    if (members.length === 0 || child["."] !== undefined || inner.named) builder.insert(path);
    addNamed(child, inner.schema, { path, builder });
    path.pop();
  }
}

const itemSchema = (schema: Schema): Schema => (schema.kind === "list" ? schema.item : freeForm);
