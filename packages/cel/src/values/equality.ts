import { visit } from "../evaluate/work.ts";
import { type CelList, type CelMap, type CelObject, type CelValue, isList, isMap, isObject } from "./cel-value.ts";
import { Uint } from "./uint.ts";
import { typeName } from "./value-types.ts";

/** CEL's `==`: numbers of all types compare by value, values of different types differ. */
export function celEqual(a: CelValue, b: CelValue): boolean {
  visit();
  if (a === b) return true;
  if (a === null || b === null) return false;
  const order = compareNumbers(a, b);
  if (order !== undefined) return order === 0;
  if (typeof a !== "object" || typeof b !== "object") return false;
  if (a instanceof Uint8Array) return b instanceof Uint8Array && Buffer.compare(a, b) === 0;
  if (a instanceof Uint || b instanceof Uint || b instanceof Uint8Array) return false;
  if (isList(a)) return isList(b) && equalLists(a, b);
  if (isMap(a)) return isMap(b) ? equalMaps(a, b) : isObject(b) && equalMaps(a, mapOfObject(b));
  if (isObject(a))
    return isObject(b) ? equalMaps(mapOfObject(a), mapOfObject(b)) : isMap(b) && equalMaps(mapOfObject(a), b);
  if (a.kind !== b.kind) return false;
  switch (a.kind) {
    case "timestamp":
    case "duration":
      return b.kind === a.kind && a.nanos === b.nanos;
    case "type":
      return b.kind === "type" && typeName(a.type) === typeName(b.type);
    case "optional":
      if (b.kind !== "optional") return false;
      if (a.value === undefined || b.value === undefined) return a.value === b.value;
      return celEqual(a.value, b.value);
    case "opaque":
      return b.kind === "opaque" && a.typeName === b.typeName && a.equals(b);
  }
}

/** The order of two numbers, `NaN` when one is not a number, `undefined` when one is no number type at all. */
export function compareNumbers(a: CelValue, b: CelValue): number | undefined {
  const x = numberOf(a);
  const y = numberOf(b);
  if (x === undefined || y === undefined) return undefined;
  if (typeof x !== typeof y) return compareDoubles(Number(x), Number(y));
  return x < y ? -1 : x > y ? 1 : x === y ? 0 : Number.NaN;
}

/** Whole numbers are compared with doubles as doubles. */
const compareDoubles = (x: number, y: number): number => (x < y ? -1 : x > y ? 1 : x === y ? 0 : Number.NaN);

function numberOf(value: CelValue): bigint | number | undefined {
  if (typeof value === "bigint" || typeof value === "number") return value;
  return value instanceof Uint ? value.value : undefined;
}

function equalLists(a: CelList, b: CelList): boolean {
  if (a.size !== b.size) return false;
  const merge = a.merge ?? b.merge;
  if (merge === undefined) {
    for (let index = 0; index < a.size; index++) if (!celEqual(a.at(index), b.at(index))) return false;
    return true;
  }
  if (merge.kind === "set") {
    return [...a.values()].every((one) => contains(b, one)) && [...b.values()].every((one) => contains(a, one));
  }
  const byKey = new Map([...b.values()].map((one) => [listKey(one, merge.keys), one]));
  return [...a.values()].every((one) => {
    const other = byKey.get(listKey(one, merge.keys));
    return other !== undefined && celEqual(one, other);
  });
}

/** True when a list has an element that equals a value. */
export function contains(list: CelList, wanted: CelValue): boolean {
  for (const one of list.values()) if (celEqual(one, wanted)) return true;
  return false;
}

/** What identifies an item of a list that is a map by some of its fields. */
export function listKey(item: CelValue, keys: readonly string[]): string {
  return JSON.stringify(
    keys.map((key) => {
      const value = isObject(item) ? item.field(key) : isMap(item) ? item.get(key) : undefined;
      return value instanceof Uint ? value.value.toString() : typeof value === "bigint" ? `${value}` : (value ?? null);
    }),
  );
}

function equalMaps(a: CelMap, b: CelMap): boolean {
  if (a.size !== b.size) return false;
  for (const key of a.keys()) {
    const x = a.get(key);
    const y = b.get(key);
    if (x === undefined || y === undefined || !celEqual(x, y)) return false;
  }
  return true;
}

/** An object as a map of its fields. */
export function mapOfObject(object: CelObject): CelMap {
  const fields = new Map(object.entries());
  return {
    kind: "map",
    size: fields.size,
    get: (key) => (typeof key === "string" ? fields.get(key) : undefined),
    keys: () => fields.keys(),
  };
}
