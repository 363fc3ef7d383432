import { isJsonObject, type JsonObject, type JsonValue } from "@skiff/base";
import { type CelType, type ListType, type ObjectType, types } from "../types/cel-type.ts";
import { escapedName } from "../types/property-names.ts";
import type { CelList, CelMap, CelObject, CelValue } from "./cel-value.ts";
import { parseDuration, parseTimestamp } from "./times.ts";

/**
 * JSON as an expression sees it. Without a type whole numbers are `int`, as Kubernetes has it for objects whose schema is not
 * looked at; with one, numbers, dates and durations are what the schema says.
 */
export function celFromJson(json: unknown, type: CelType = types.dyn): CelValue {
  switch (typeof json) {
    case "string":
      return fromText(json, type);
    case "boolean":
      return json;
    case "bigint":
      return json;
    case "number":
      return type.kind === "double" || !Number.isInteger(json) ? json : BigInt(json);
    default:
      if (Array.isArray(json)) return new JsonList(json, type.kind === "list" ? type : undefined);
      if (!isJsonObject(json)) return null;
      if (type.kind === "object") return new JsonStruct(json, type);
      return new JsonMap(json, type.kind === "map" ? type.value : types.dyn);
  }
}

function fromText(text: string, type: CelType): CelValue {
  switch (type.kind) {
    case "bytes":
      return new Uint8Array(Buffer.from(text, "base64"));
    case "timestamp":
      return parseTimestamp(text) ?? parseTimestamp(`${text}T00:00:00Z`) ?? text;
    case "duration":
      return parseDuration(text) ?? text;
    default:
      return text;
  }
}

class JsonList implements CelList {
  readonly kind = "list";
  readonly merge: ListType["merge"];
  readonly #items: readonly unknown[];
  readonly #element: CelType;

  constructor(items: readonly unknown[], type: ListType | undefined) {
    this.#items = items;
    this.#element = type?.element ?? types.dyn;
    this.merge = type?.merge;
  }

  get size(): number {
    return this.#items.length;
  }

  at(index: number): CelValue {
    return celFromJson(this.#items[index], this.#element);
  }

  *values(): Iterable<CelValue> {
    for (const item of this.#items) yield celFromJson(item, this.#element);
  }
}

class JsonMap implements CelMap {
  readonly kind = "map";
  readonly #object: JsonObject;
  readonly #value: CelType;
  #size: number | undefined;

  constructor(object: JsonObject, value: CelType) {
    this.#object = object;
    this.#value = value;
  }

  get size(): number {
    this.#size ??= memberNames(this.#object).length;
    return this.#size;
  }

  get(key: CelValue): CelValue | undefined {
    if (typeof key !== "string" || !Object.hasOwn(this.#object, key)) return undefined;
    const value = this.#object[key];
    return value === undefined ? undefined : celFromJson(value, this.#value);
  }

  keys(): readonly string[] {
    return memberNames(this.#object);
  }
}

/** A JSON object with declared fields. */
class JsonStruct implements CelObject {
  readonly kind = "object";
  readonly #object: JsonObject;
  readonly #type: ObjectType;

  constructor(object: JsonObject, type: ObjectType) {
    this.#object = object;
    this.#type = type;
  }

  get typeName(): string {
    return this.#type.name;
  }

  field(name: string): CelValue | undefined {
    const field = this.#type.field(name) ?? { property: name, type: types.dyn };
    if (!Object.hasOwn(this.#object, field.property)) return undefined;
    const value = this.#object[field.property];
    return value === undefined ? undefined : celFromJson(value, field.type);
  }

  *entries(): Iterable<readonly [string, CelValue]> {
    for (const name of memberNames(this.#object)) {
      yield [name, celFromJson(this.#object[name], this.#type.field(escapedName(name) ?? name)?.type)];
    }
  }
}

const memberNames = (object: JsonObject): readonly string[] =>
  Object.keys(object).filter((name) => object[name] !== undefined);

/** Raised by `jsonFromCel` for what JSON cannot say. */
export class NotJson extends Error {
  override readonly name = "NotJson";
}

/** A value as JSON, as Kubernetes turns what mutations give into parts of objects. Throws `NotJson`. */
export function jsonFromCel(value: CelValue): JsonValue {
  if (value === null || typeof value === "boolean" || typeof value === "string" || typeof value === "number") {
    if (typeof value === "number" && !Number.isFinite(value)) throw new NotJson(`${value} is not a JSON number`);
    return value;
  }
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  if (!("kind" in value)) return Number(value.value);
  switch (value.kind) {
    case "list":
      return [...value.values()].map(jsonFromCel);
    case "map": {
      const object: JsonObject = {};
      for (const key of value.keys()) {
        if (typeof key !== "string") throw new NotJson("unsupported map key type: must be string");
        setMember(object, key, jsonFromCel(value.get(key) ?? null));
      }
      return object;
    }
    case "object": {
      const object: JsonObject = {};
      for (const [name, member] of value.entries()) setMember(object, name, jsonFromCel(member));
      return object;
    }
    case "optional":
      if (value.value === undefined) throw new NotJson("an optional without a value");
      return jsonFromCel(value.value);
    default:
      throw new NotJson(`a value of type ${value.kind} is not JSON`);
  }
}

/** A member named `__proto__` is a member, too. */
function setMember(object: JsonObject, name: string, value: JsonValue): void {
  if (name === "__proto__")
    Object.defineProperty(object, name, { value, enumerable: true, writable: true, configurable: true });
  else object[name] = value;
}
