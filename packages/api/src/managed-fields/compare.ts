import { isJsonObject, type JsonObject, type JsonValue, jsonEqual } from "@skiff/base";
import type { FieldSchema, ListSchema, Schema } from "../schema/schema.ts";
import { type FieldSet, isEmptySet, leaf, nodeOf, sortChildren } from "./field-set.ts";
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
  const found = new Differences();
  compareMembers({ before, after, schema }, found, 0);
  return { removed: found.removedNode(false), changed: found.changedNode(false) };
}

/** A value without members. */
export const isHollow = (value: JsonValue | undefined): boolean =>
  typeof value !== "object" ||
  value === null ||
  (Array.isArray(value) ? value.length === 0 : Object.keys(value).length === 0);

type Children = [element: string, fields: FieldSet][];

const none: Children = [];

/** What was found below one node: its children in both sets. */
class Differences {
  #removed: Children = none;
  #changed: Children = none;

  removed(element: string, fields: FieldSet): void {
    if (this.#removed === none) this.#removed = [[element, fields]];
    else this.#removed.push([element, fields]);
  }

  changed(element: string, fields: FieldSet): void {
    if (this.#changed === none) this.#changed = [[element, fields]];
    else this.#changed.push([element, fields]);
  }

  get hasRemoved(): boolean {
    return this.#removed !== none;
  }

  get hasChanged(): boolean {
    return this.#changed !== none;
  }

  removedNode(member: boolean): FieldSet {
    return nodeOf(member, sortChildren(this.#removed));
  }

  changedNode(member: boolean): FieldSet {
    return nodeOf(member, sortChildren(this.#changed));
  }
}

interface Sides {
  readonly before: JsonValue | undefined;
  readonly after: JsonValue | undefined;
  readonly schema: Schema;
}

function compareValues(element: string, sides: Sides, found: Differences, depth: number): void {
  const { before, after, schema } = sides;
  if (before === after) return;
  const granular = isGranular(schema, before ?? after) && isGranular(schema, after ?? before);
  if (!granular || (isHollow(before) && isHollow(after))) {
    compareWhole(element, before, after, found);
    return;
  }
  const inner = new Differences();
  if (schema.kind === "list") compareItems(before, after, { schema, found: inner, depth: depth + 1 });
  else compareMembers(sides, inner, depth + 1);
  if (before === undefined || inner.hasChanged) found.changed(element, inner.changedNode(before === undefined));
  if (after === undefined || inner.hasRemoved) found.removed(element, inner.removedNode(after === undefined));
}

function compareWhole(
  element: string,
  before: JsonValue | undefined,
  after: JsonValue | undefined,
  found: Differences,
): void {
  if (after === undefined) found.removed(element, leaf);
  else if (before === undefined || !jsonEqual(before, after)) found.changed(element, leaf);
}

function compareMembers({ before, after, schema }: Sides, found: Differences, depth: number): void {
  const old = isJsonObject(before) ? before : undefined;
  const next = isJsonObject(after) ? after : undefined;
  for (const name in old) compareMember(name, { old, next, schema }, found, depth);
  for (const name in next)
    if (old === undefined || !Object.hasOwn(old, name)) compareMember(name, { old, next, schema }, found, depth);
}

interface Parents {
  readonly old: JsonObject | undefined;
  readonly next: JsonObject | undefined;
  readonly schema: Schema;
}

function compareMember(name: string, { old, next, schema }: Parents, found: Differences, depth: number): void {
  let before = old !== undefined && Object.hasOwn(old, name) ? old[name] : undefined;
  let after = next !== undefined && Object.hasOwn(next, name) ? next[name] : undefined;
  if (before === after || (name === "managedFields" && depth === 1)) return;
  const field = schema.kind === "struct" ? schema.field(name) : undefined;
  if (field?.always === true) {
    if (old !== undefined) before ??= zeroOf(field);
    if (next !== undefined) after ??= zeroOf(field);
  }
  const inner = field?.schema ?? memberSchema(schema, name).schema;
  compareValues(fieldElement(name), { before, after, schema: inner }, found, depth);
}

function compareItems(
  before: JsonValue | undefined,
  after: JsonValue | undefined,
  { schema, found, depth }: { readonly schema: ListSchema; readonly found: Differences; readonly depth: number },
): void {
  const old = itemsByElement(before, schema);
  const next = itemsByElement(after, schema);
  const compare = (element: string, items: JsonValue[] | undefined, others: JsonValue[] | undefined) => {
    // Items that cannot be told apart are compared as a whole.
    if ((items?.length ?? 0) > 1 || (others?.length ?? 0) > 1) compareWhole(element, items, others, found);
    else compareValues(element, { before: items?.[0], after: others?.[0], schema: schema.item }, found, depth);
  };
  for (const [element, items] of old) compare(element, items, next.get(element));
  for (const [element, items] of next) if (!old.has(element)) compare(element, undefined, items);
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
