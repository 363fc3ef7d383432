import { noSuchOverload } from "../evaluate/evaluation-error.ts";
import {
  type CelList,
  type CelMap,
  type CelOptional,
  type CelValue,
  type Duration,
  isDuration,
  isList,
  isMap,
  isOptional,
  isTimestamp,
  type Timestamp,
} from "../values/cel-value.ts";
import { Uint } from "../values/uint.ts";

/**
 * Parameters of a call in the type that its declaration gives them. A call gets here with values that fit, so these only
 * tell the compiler; a mistake in a declaration shows as Kubernetes' `no such overload`.
 */
type Given = CelValue | undefined;

export function text(value: Given): string {
  if (typeof value !== "string") throw noSuchOverload();
  return value;
}

export function int(value: Given): bigint {
  if (typeof value !== "bigint") throw noSuchOverload();
  return value;
}

export function double(value: Given): number {
  if (typeof value !== "number") throw noSuchOverload();
  return value;
}

export function bool(value: Given): boolean {
  if (typeof value !== "boolean") throw noSuchOverload();
  return value;
}

export function uint(value: Given): bigint {
  if (!(value instanceof Uint)) throw noSuchOverload();
  return value.value;
}

export function bytes(value: Given): Uint8Array {
  if (!(value instanceof Uint8Array)) throw noSuchOverload();
  return value;
}

export function list(value: Given): CelList {
  if (!isList(value)) throw noSuchOverload();
  return value;
}

export function map(value: Given): CelMap {
  if (!isMap(value)) throw noSuchOverload();
  return value;
}

export function optional(value: Given): CelOptional {
  if (!isOptional(value)) throw noSuchOverload();
  return value;
}

export function timestamp(value: Given): Timestamp {
  if (!isTimestamp(value)) throw noSuchOverload();
  return value;
}

export function duration(value: Given): Duration {
  if (!isDuration(value)) throw noSuchOverload();
  return value;
}

/** Any value: that one is there is what the checker saw to. */
export function any(value: Given): CelValue {
  if (value === undefined) throw noSuchOverload();
  return value;
}
