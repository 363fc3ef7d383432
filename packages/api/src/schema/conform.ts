import { assertNever, isJsonObject, type JsonObject, type JsonValue } from "@skiff/base";
import { DecodeFailure } from "./decode-failure.ts";
import { jsonTypeName, typeNameOf } from "./go-names.ts";
import { conformBytes, conformIntOrString, conformQuantity, conformTime } from "./scalars.ts";
import type { FieldSchema, ListSchema, MapSchema, ScalarSchema, Schema, StructSchema } from "./schema.ts";
import { zeroValuesOf } from "./zero-values.ts";

/** The deepest nesting that is read. Deeper bodies are an attack on the stack, not an object. */
export const deepestNesting = 500;

/**
 * Brings untyped JSON into the form of a schema, in place: drops unknown fields (and returns their paths, as in
 * `spec.containers[0].foo`), drops nulls and values that say nothing, adds required ones that are missing, rewrites quantities, times and the like canonically. Values of a wrong type throw
 * `DecodeFailure` with the message of Kubernetes' decoder: the first of them, unless a value with a parser of its own fails.
 *
 * Custom resources are only pruned: their validation reports types. Frozen parts are neither looked into nor changed: they are
 * those of a stored object, which has its form.
 */
export function conform(value: JsonObject, schema: StructSchema): readonly string[] {
  const walk = new Walk();
  if (!Object.isFrozen(value)) walk.struct(value, schema);
  if (walk.typeError !== undefined) throw new DecodeFailure(walk.typeError);
  return walk.unknown;
}

/** What an absent value is decoded to where Kubernetes cannot leave it out: an item of a list, a value of a map. */
function zeroOf(schema: Schema): JsonValue {
  switch (schema.kind) {
    case "boolean":
      return false;
    case "int32":
    case "int64":
    case "number":
    case "intOrString":
      return 0;
    case "quantity":
      return "0";
    case "string":
    case "bytes":
      return "";
    case "time":
    case "microTime":
    case "any":
      return null;
    case "list":
      return [];
    case "map":
    case "struct":
      return {};
    default:
      return assertNever(schema);
  }
}

const isZero = (value: JsonValue): boolean => value === "" || value === 0 || value === false;

const isEmpty = (value: JsonValue): boolean =>
  Array.isArray(value) ? value.length === 0 : isJsonObject(value) && Object.keys(value).length === 0;

const isStored = (value: JsonValue): boolean => typeof value === "object" && Object.isFrozen(value);

class Walk {
  readonly unknown: string[] = [];
  typeError: string | undefined;
  /** Where the walk is: names of fields, keys of maps, indexes. */
  readonly #path: (string | number)[] = [];
  /** The same without keys and indexes, as type errors show it. */
  readonly #fields: string[] = [];
  #struct = "";
  #depth = 0;

  struct(value: JsonObject, schema: StructSchema): void {
    const outer = this.#struct;
    this.#struct = schema.name;
    this.#enter();
    const typed = schema.definition !== "";
    const zeros = zeroValuesOf(schema);
    for (const key of Object.keys(value)) {
      const field = schema.field(key);
      const member = value[key];
      if (field === undefined) {
        if (schema.preserveUnknown) continue;
        this.unknown.push(this.#textOf(key));
        delete value[key];
        continue;
      }
      if (member === undefined || (member === null && typed)) {
        delete value[key];
        continue;
      }
      if (member === null || isStored(member)) continue;
      this.#path.push(key);
      this.#fields.push(key);
      const conformed = this.#value(member, field.schema, typed);
      if (typed && (isLeftOut(field, conformed) || (isZero(conformed) && zeros.leftOut.has(key)))) delete value[key];
      else if (conformed !== member) value[key] = conformed;
      this.#path.pop();
      this.#fields.pop();
    }
    for (const [key, zero] of zeros.always) value[key] ??= zero;
    this.#depth--;
    this.#struct = outer;
  }

  #value(value: JsonValue, schema: Schema, typed: boolean): JsonValue {
    switch (schema.kind) {
      case "struct":
        if (!isJsonObject(value)) return this.#wrongType(value, schema, typed);
        this.struct(value, schema);
        return value;
      case "list":
        return Array.isArray(value) ? this.#list(value, schema, typed) : this.#wrongType(value, schema, typed);
      case "map":
        return isJsonObject(value) ? this.#map(value, schema, typed) : this.#wrongType(value, schema, typed);
      case "any":
        if (schema.object && !isJsonObject(value)) return this.#wrongType(value, schema, typed);
        this.#sound(value);
        return value;
      default:
        return typed ? this.#scalar(value, schema) : value;
    }
  }

  #list(value: JsonValue[], schema: ListSchema, typed: boolean): JsonValue[] {
    this.#enter();
    for (let index = 0; index < value.length; index++) {
      const item = value[index] ?? null;
      if (item === null) {
        if (typed) value[index] = zeroOf(schema.item);
        continue;
      }
      if (isStored(item)) continue;
      this.#path.push(index);
      const conformed = this.#value(item, schema.item, typed);
      if (conformed !== item) value[index] = conformed;
      this.#path.pop();
    }
    this.#depth--;
    return value;
  }

  #map(value: JsonObject, schema: MapSchema, typed: boolean): JsonObject {
    this.#enter();
    for (const key of Object.keys(value)) {
      const member = value[key] ?? null;
      if (member === null) {
        if (typed) value[key] = zeroOf(schema.value);
        continue;
      }
      if (isStored(member)) continue;
      this.#path.push(key);
      const conformed = this.#value(member, schema.value, typed);
      if (conformed !== member) value[key] = conformed;
      this.#path.pop();
    }
    this.#depth--;
    return value;
  }

  #scalar(given: JsonValue, schema: ScalarSchema): JsonValue {
    // Fields of a type have rules that reckon with numbers; where there are none, numbers keep all their digits.
    const value = typeof given === "bigint" && schema.kind !== "quantity" ? Number(given) : given;
    switch (schema.kind) {
      case "string":
        return typeof value === "string" ? value : this.#wrongType(value, schema, true);
      case "boolean":
        return typeof value === "boolean" ? value : this.#wrongType(value, schema, true);
      case "number":
        return typeof value === "number" ? value : this.#wrongType(value, schema, true);
      case "int32":
      case "int64": {
        if (typeof value !== "number") return this.#wrongType(value, schema, true);
        const limit = schema.kind === "int32" ? 2 ** 31 : 2 ** 63;
        // Whole numbers of 64 bits that are too large for a `number` come as bigints: what comes as a number is larger still.
        const isLong = typeof given === "bigint" && schema.kind === "int64";
        const fits = isLong || (Number.isInteger(value) && value >= -limit && value < limit);
        return fits ? value : this.#wrongType(value, schema, true, `number ${given}`);
      }
      case "bytes":
        return typeof value === "string" ? conformBytes(value) : this.#wrongType(value, schema, true);
      case "quantity":
        return conformQuantity(value);
      case "time":
      case "microTime":
        return conformTime(value, schema.kind);
      case "intOrString":
        return conformIntOrString(value);
      default:
        return assertNever(schema.kind);
    }
  }

  /** Keeps the first mismatch; the decoder goes on after it, and so does the walk. */
  #wrongType(value: JsonValue, schema: Schema, typed: boolean, shown = jsonTypeName(value)): JsonValue {
    if (typed && this.typeError === undefined) {
      const place = `Go struct field ${this.#struct}.${this.#fields.join(".")}`;
      this.typeError = `json: cannot unmarshal ${shown} into ${place} of type ${typeNameOf(schema)}`;
    }
    return value;
  }

  /** Free JSON is kept as it is, if it is not too deep. */
  #sound(value: JsonValue): void {
    if (typeof value !== "object" || value === null) return;
    this.#enter();
    for (const member of Array.isArray(value) ? value : Object.values(value)) {
      if (typeof member === "object" && member !== null) this.#sound(member);
    }
    this.#depth--;
  }

  #enter(): void {
    if (++this.#depth > deepestNesting) throw new DecodeFailure("exceeded max depth");
  }

  #textOf(last: string): string {
    let text = "";
    for (const part of this.#path) text += typeof part === "number" ? `[${part}]` : text === "" ? part : `.${part}`;
    return text === "" ? last : `${text}.${last}`;
  }
}

/** Kubernetes leaves empty lists and maps out when it writes an object, except where the field must be there. */
const isLeftOut = (field: FieldSchema, value: JsonValue): boolean =>
  !field.always && (field.schema.kind === "list" || field.schema.kind === "map") && isEmpty(value);
