import { type CelType, types } from "../types/cel-type.ts";
import type { CelValue } from "./cel-value.ts";
import { Uint } from "./uint.ts";

/** The type that a value has while an expression runs; what lists and maps hold is not looked at. */
export function typeOf(value: CelValue): CelType {
  switch (typeof value) {
    case "string":
      return types.string;
    case "boolean":
      return types.bool;
    case "bigint":
      return types.int;
    case "number":
      return types.double;
    default:
      return value === null ? types.null : typeOfObject(value);
  }
}

function typeOfObject(value: Exclude<CelValue, null | string | boolean | bigint | number>): CelType {
  if (value instanceof Uint) return types.uint;
  if (value instanceof Uint8Array) return types.bytes;
  switch (value.kind) {
    case "list":
      return types.list(types.dyn);
    case "map":
      return types.map(types.dyn, types.dyn);
    case "optional":
      return types.optional(types.dyn);
    case "timestamp":
      return types.timestamp;
    case "duration":
      return types.duration;
    case "type":
      return types.type(types.dyn);
    case "opaque":
      return types.opaque(value.typeName);
    case "object":
      return types.object(value.typeName, {});
  }
}

/** The name of a value's type, as messages and `type(x)` have it. */
export function typeName(type: CelType): string {
  switch (type.kind) {
    case "null":
      return "null_type";
    case "timestamp":
      return "google.protobuf.Timestamp";
    case "duration":
      return "google.protobuf.Duration";
    case "optional":
      return "optional_type";
    case "object":
    case "opaque":
    case "parameter":
      return type.name;
    default:
      return type.kind;
  }
}

/** True when a value can stand where a type is declared. */
export function hasType(value: CelValue, type: CelType): boolean {
  switch (type.kind) {
    case "dyn":
    case "parameter":
    case "error":
      return true;
    case "string":
      return typeof value === "string";
    case "bool":
      return typeof value === "boolean";
    case "int":
      return typeof value === "bigint";
    case "double":
      return typeof value === "number";
    case "null":
      return value === null;
    case "uint":
      return value instanceof Uint;
    case "bytes":
      return value instanceof Uint8Array;
    default:
      return (
        typeof value === "object" &&
        value !== null &&
        "kind" in value &&
        value.kind === type.kind &&
        sameName(value, type)
      );
  }
}

function sameName(value: CelValue, type: CelType): boolean {
  if (type.kind !== "opaque") return true;
  return typeof value === "object" && value !== null && "typeName" in value && value.typeName === type.name;
}
