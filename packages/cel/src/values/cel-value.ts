import type { CelType } from "../types/cel-type.ts";
import type { Uint } from "./uint.ts";

/**
 * A value while an expression runs. `bigint` is CEL's `int`, `number` its `double`. Lists, maps and objects read what they
 * stand for when they are asked: nothing is copied from the resource that an expression looks at.
 */
export type CelValue =
  | null
  | boolean
  | bigint
  | number
  | string
  | Uint
  | Uint8Array
  | CelList
  | CelMap
  | CelObject
  | CelOptional
  | Timestamp
  | Duration
  | TypeValue
  | OpaqueValue;

/** A list. */
export interface CelList {
  readonly kind: "list";
  readonly size: number;
  /** `index` must be below `size`. */
  at(index: number): CelValue;
  values(): Iterable<CelValue>;
  /** How equality and `+` treat it, where a schema says that it is not simply a list. */
  readonly merge?: { readonly kind: "set" } | { readonly kind: "map"; readonly keys: readonly string[] } | undefined;
}

/** A map. Keys are `bool`, `int`, `uint` or `string`. */
export interface CelMap {
  readonly kind: "map";
  readonly size: number;
  get(key: CelValue): CelValue | undefined;
  keys(): Iterable<CelValue>;
}

/** An object with declared fields. */
export interface CelObject {
  readonly kind: "object";
  readonly typeName: string;
  /** `undefined`: declared, but not there. `null` is a value. */
  field(name: string): CelValue | undefined;
  /** Fields that are there, by their own names (not escaped). */
  entries(): Iterable<readonly [string, CelValue]>;
}

/** A value that may be missing. */
export interface CelOptional {
  readonly kind: "optional";
  readonly value: CelValue | undefined;
}

/** A moment, in nanoseconds since 1970. */
export interface Timestamp {
  readonly kind: "timestamp";
  readonly nanos: bigint;
}

/** A length of time in nanoseconds. */
export interface Duration {
  readonly kind: "duration";
  readonly nanos: bigint;
}

/** A type as a value: what `type(x)` gives. */
export interface TypeValue {
  readonly kind: "type";
  readonly type: CelType;
}

/** A value of a library that only the library's functions can look into: a URL, a quantity, an authorizer. */
export interface OpaqueValue {
  readonly kind: "opaque";
  readonly typeName: string;
  equals(other: OpaqueValue): boolean;
  /** What `size` and cost count it as; 1 where absent. */
  readonly size?: number;
}

export const isList = (value: CelValue | undefined): value is CelList => kindOf(value) === "list";
export const isMap = (value: CelValue | undefined): value is CelMap => kindOf(value) === "map";
export const isObject = (value: CelValue | undefined): value is CelObject => kindOf(value) === "object";
export const isOptional = (value: CelValue | undefined): value is CelOptional => kindOf(value) === "optional";
export const isTimestamp = (value: CelValue | undefined): value is Timestamp => kindOf(value) === "timestamp";
export const isDuration = (value: CelValue | undefined): value is Duration => kindOf(value) === "duration";
export const isTypeValue = (value: CelValue | undefined): value is TypeValue => kindOf(value) === "type";
export const isOpaque = (value: CelValue | undefined): value is OpaqueValue => kindOf(value) === "opaque";

function kindOf(value: CelValue | undefined): string | undefined {
  return typeof value === "object" && value !== null && "kind" in value ? value.kind : undefined;
}

export const none: CelOptional = { kind: "optional", value: undefined };
export const some = (value: CelValue): CelOptional => ({ kind: "optional", value });
export const timestampOf = (nanos: bigint): Timestamp => ({ kind: "timestamp", nanos });
export const durationOf = (nanos: bigint): Duration => ({ kind: "duration", nanos });
