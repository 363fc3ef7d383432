import { shownKey } from "../library/shown.ts";
import {
  type CelList,
  type CelMap,
  type CelOptional,
  type CelValue,
  isList,
  isMap,
  isObject,
  isOptional,
  none,
  some,
} from "../values/cel-value.ts";
import { Uint } from "../values/uint.ts";
import { EvaluationError, noSuchKey, noSuchOverload } from "./evaluation-error.ts";

/** `target.field`. */
export function fieldOf(target: CelValue, field: string): CelValue {
  if (isOptional(target)) return optionalField(target, field);
  const found = find(target, field);
  if (found === undefined) throw noSuchKey(field);
  return found;
}

/** `has(target.field)`. A field that is there, but empty, is there. */
export function hasField(target: CelValue, field: string): boolean {
  if (isOptional(target)) return target.value !== undefined && hasField(target.value, field);
  return find(target, field) !== undefined;
}

/** `target[index]`. */
export function itemOf(target: CelValue, index: CelValue): CelValue {
  if (isList(target)) return elementOf(target, index);
  if (isMap(target)) return entryOf(target, index);
  if (isObject(target) && typeof index === "string") return fieldOf(target, index);
  if (isOptional(target)) return optionalItem(target, index);
  throw noSuchOverload();
}

/** `target[?index]`. */
export function optionalItem(target: CelValue, index: CelValue): CelOptional {
  if (isOptional(target)) return target.value === undefined ? none : optionalItem(target.value, index);
  try {
    return some(itemOf(target, index));
  } catch (error) {
    if (error instanceof EvaluationError) return none;
    throw error;
  }
}

function elementOf(items: CelList, index: CelValue): CelValue {
  const at = index instanceof Uint ? Number(index.value) : Number(index);
  if (typeof index === "string" || typeof index === "boolean" || index === null || !Number.isInteger(at)) {
    throw new EvaluationError(`unsupported index value: ${shownKey(index)}`);
  }
  if (at < 0 || at >= items.size) throw new EvaluationError(`index out of bounds: ${at}`);
  return items.at(at);
}

function entryOf(of: CelMap, key: CelValue): CelValue {
  const found = of.get(key);
  if (found === undefined) throw noSuchKey(shownKey(key));
  return found;
}

/** `target.?field`. */
export function optionalField(target: CelValue, field: string): CelOptional {
  if (isOptional(target)) return target.value === undefined ? none : optionalField(target.value, field);
  const found = find(target, field);
  return found === undefined ? none : some(found);
}

function find(target: CelValue, field: string): CelValue | undefined {
  if (isMap(target)) return target.get(field);
  if (isObject(target)) return target.field(field);
  throw noSuchOverload();
}
