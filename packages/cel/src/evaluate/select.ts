import { type CelOptional, type CelValue, isMap, isObject, isOptional, none, some } from "../values/cel-value.ts";
import { EvaluationError, noSuchKey } from "./evaluation-error.ts";

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

/** `target.?field`. */
export function optionalField(target: CelValue, field: string): CelOptional {
  if (isOptional(target)) return target.value === undefined ? none : optionalField(target.value, field);
  if (target === null) return none;
  const found = find(target, field);
  return found === undefined ? none : some(found);
}

function find(target: CelValue, field: string): CelValue | undefined {
  if (isMap(target)) return target.get(field);
  if (isObject(target)) return target.field(field);
  throw new EvaluationError("no such overload");
}
