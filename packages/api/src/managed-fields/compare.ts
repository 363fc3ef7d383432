import { isJsonObject, type JsonObject, type JsonValue, jsonEqual } from "@skiff/base";
import type { FieldSchema, ListSchema, Schema } from "../schema/schema.ts";
import { type FieldSet, FieldSetBuilder, isEmptySet } from "./field-set.ts";
import { isGranular, memberSchema } from "./owned-fields.ts";
import { fieldElement, itemElement, PathElementError } from "./path-element.ts";

/** What changed from one object to the next. */
export interface Comparison {
  readonly removed: FieldSet;
  /** Modified or added. */
  readonly changed: FieldSet;
}

export const nothingChanged = ({ removed, changed }: Comparison): boolean => isEmptySet(removed) && isEmptySet(changed);

/**
 * Compares two objects field by field. Parts that are the same JavaScript value are not looked into, so that a change of status
 * costs no walk of the spec. `metadata.managedFields` is left out.
 */
export function compareObjects(before: JsonObject, after: JsonObject, schema: Schema): Comparison {
  const walk = new Walk();
  walk.members(before, after, schema);
  return { removed: walk.removed.build(), changed: walk.changed.build() };
}

/** A value without members. */
export const isHollow = (value: JsonValue | undefined): boolean =>
  typeof value !== "object" ||
  value === null ||
  (Array.isArray(value) ? value.length === 0 : Object.keys(value).length === 0);

class Walk {
  readonly removed = new FieldSetBuilder();
  readonly changed = new FieldSetBuilder();
  readonly #path: string[] = [];

  #compare(before: JsonValue | undefined, after: JsonValue | undefined, schema: Schema): void {
    if (before === after) return;
    const granular = isGranular(schema, before ?? after) && isGranular(schema, after ?? before);
    if (!granular || (isHollow(before) && isHollow(after))) {
      this.#leaf(before, after);
      return;
    }
    if (schema.kind === "list") this.#items(before, after, schema);
    else this.members(before, after, schema);
    if (before === undefined) this.changed.insert(this.#path);
    else if (after === undefined) this.removed.insert(this.#path);
  }

  #leaf(before: JsonValue | undefined, after: JsonValue | undefined): void {
    if (after === undefined) this.removed.insert(this.#path);
    else if (before === undefined || !jsonEqual(before, after)) this.changed.insert(this.#path);
  }

  members(before: JsonValue | undefined, after: JsonValue | undefined, schema: Schema): void {
    const old = isJsonObject(before) ? before : undefined;
    const next = isJsonObject(after) ? after : undefined;
    for (const name in old) this.#member(name, { old, next, schema });
    for (const name in next)
      if (old === undefined || !Object.hasOwn(old, name)) this.#member(name, { old, next, schema });
  }

  #member(name: string, { old, next, schema }: Sides): void {
    let before = old !== undefined && Object.hasOwn(old, name) ? old[name] : undefined;
    let after = next !== undefined && Object.hasOwn(next, name) ? next[name] : undefined;
    if (before === after || (name === "managedFields" && this.#path.length === 1)) return;
    const field = schema.kind === "struct" ? schema.field(name) : undefined;
    if (field?.always === true) {
      if (old !== undefined) before ??= zeroOf(field);
      if (next !== undefined) after ??= zeroOf(field);
    }
    this.#path.push(fieldElement(name));
    this.#compare(before, after, field?.schema ?? memberSchema(schema, name).schema);
    this.#path.pop();
  }

  #items(before: JsonValue | undefined, after: JsonValue | undefined, schema: ListSchema): void {
    const old = itemsByElement(before, schema);
    const next = itemsByElement(after, schema);
    for (const [element, items] of old) this.#item(element, { old: items, next: next.get(element), schema });
    for (const [element, items] of next)
      if (!old.has(element)) this.#item(element, { old: undefined, next: items, schema });
  }

  #item(element: string, { old, next, schema }: ItemSides): void {
    this.#path.push(element);
    // Items that cannot be told apart are compared as a whole.
    if ((old?.length ?? 0) > 1 || (next?.length ?? 0) > 1) this.#leaf(old, next);
    else this.#compare(old?.[0], next?.[0], schema.item);
    this.#path.pop();
  }
}

interface Sides {
  readonly old: JsonObject | undefined;
  readonly next: JsonObject | undefined;
  readonly schema: Schema;
}

interface ItemSides {
  readonly old: JsonValue[] | undefined;
  readonly next: JsonValue[] | undefined;
  readonly schema: ListSchema;
}

/** What Kubernetes' own form has where nothing was said. */
export const zeroOf = (field: FieldSchema): JsonValue | undefined => {
  if (field.schema.kind === "struct") return {};
  return field.schema.kind === "list" || field.schema.kind === "map" ? null : undefined;
};

/** The items of a list by how they are told apart; several where they cannot be. */
export function itemsByElement(list: JsonValue | undefined, schema: ListSchema): Map<string, JsonValue[]> {
  const items = new Map<string, JsonValue[]>();
  if (!Array.isArray(list)) return items;
  for (const [index, item] of list.entries()) {
    const element = elementOr(item, schema, index);
    const same = items.get(element);
    if (same === undefined) items.set(element, [item]);
    else same.push(item);
  }
  return items;
}

/** Items without their keys are known by their index: who owns them matters less than that the write succeeds. */
function elementOr(item: JsonValue, schema: ListSchema, index: number): string {
  try {
    return itemElement(item, schema);
  } catch (error) {
    if (error instanceof PathElementError) return `i:${index}`;
    throw error;
  }
}
