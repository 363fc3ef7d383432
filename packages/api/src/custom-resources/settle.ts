import { deepCopy, isJsonObject, type JsonObject, type JsonValue } from "@skiff/base";
import type { StructuralSchema } from "./structural-schema.ts";

/**
 * Brings a custom resource into the form of its schema, in place: drops what the schema does not know, drops nulls where
 * they may not be, fills in defaults. Metadata is left alone. Gives true when something changed.
 */
export function settle(object: JsonObject, schema: StructuralSchema): boolean {
  const walk = new Settling();
  walk.object(object, schema, true);
  return walk.changed;
}

/** Fills in the defaults of a value that is known to have no unknown fields: the default of another field. */
export function fillDefaults(value: JsonValue, schema: StructuralSchema): void {
  new Settling().value(value, schema, false);
}

/** Drops what a schema does not know from a value. Gives true when there was something. */
export function prune(value: JsonValue, schema: StructuralSchema, isRoot: boolean): boolean {
  const walk = new Settling(false);
  if (isJsonObject(value)) walk.object(value, schema, isRoot);
  else walk.value(value, schema, false);
  return walk.changed;
}

const common: ReadonlySet<string> = new Set(["apiVersion", "kind", "metadata"]);

class Settling {
  changed = false;
  readonly #fills: boolean;

  /** `fills`: nulls and defaults are seen to as well. */
  constructor(fills = true) {
    this.#fills = fills;
  }

  /** `embedded`: type and metadata are always known, as those of the object as a whole. */
  object(value: JsonObject, schema: StructuralSchema, embedded: boolean): void {
    for (const key of Object.keys(value)) {
      const known = schema.properties.get(key);
      const { additional } = schema;
      // Whatever a schema says of metadata, it says it of values, not of which members there are.
      if (embedded && common.has(key)) continue;
      if (known !== undefined) this.#member(value, key, known);
      else if (typeof additional === "object") this.#member(value, key, additional);
      else if (schema.preserveUnknown) continue;
      else if (additional === true) this.#nothingBelow(value[key]);
      else {
        delete value[key];
        this.changed = true;
      }
    }
    if (this.#fills && schema.hasDefaults) this.#fillIn(value, schema);
  }

  value(value: JsonValue | undefined, schema: StructuralSchema, embedded: boolean): void {
    if (Array.isArray(value)) this.#list(value, schema);
    else if (isJsonObject(value)) this.object(value, schema, embedded || schema.embedded);
  }

  #member(object: JsonObject, key: string, schema: StructuralSchema): void {
    const value = object[key];
    if (value !== null || !this.#fills) {
      this.value(value, schema, false);
      return;
    }
    if (schema.nullable) return;
    if (schema.default === undefined) delete object[key];
    else object[key] = deepCopy(schema.default);
    this.changed = true;
  }

  #list(list: JsonValue[], schema: StructuralSchema): void {
    const { items } = schema;
    if (items === undefined) {
      if (!schema.preserveUnknown) for (const item of list) this.#nothingBelow(item);
      return;
    }
    for (const [index, item] of list.entries()) {
      if (item === null && this.#fills && !items.nullable && items.default !== undefined) {
        list[index] = deepCopy(items.default);
        this.changed = true;
      } else this.value(item, items, false);
    }
  }

  #fillIn(object: JsonObject, schema: StructuralSchema): void {
    for (const [name, property] of schema.properties) {
      if (property.default === undefined || object[name] !== undefined) continue;
      const value = deepCopy(property.default);
      object[name] = value;
      this.changed = true;
      this.value(value, property, false);
    }
  }

  /** A value without a schema keeps itself, but no members. */
  #nothingBelow(value: JsonValue | undefined): void {
    if (Array.isArray(value)) for (const item of value) this.#nothingBelow(item);
    else if (isJsonObject(value)) {
      for (const key of Object.keys(value)) {
        delete value[key];
        this.changed = true;
      }
    }
  }
}
