import type { JsonValue } from "@skiff/base";
import type { Schema } from "./schema.ts";

const scalarNames: Readonly<Record<string, string>> = {
  boolean: "bool",
  number: "float64",
  bytes: "[]uint8",
  quantity: "resource.Quantity",
  time: "v1.Time",
  microTime: "v1.MicroTime",
  intOrString: "intstr.IntOrString",
};

/** The type of a value as decode errors name it: `int32`, `[]v1.Container`, `map[string]string`. */
export function typeNameOf(schema: Schema): string {
  switch (schema.kind) {
    case "list":
      return `[]${typeNameOf(schema.item)}`;
    case "map":
      return `map[string]${typeNameOf(schema.value)}`;
    case "struct":
      return schema.definition === "" ? "map[string]interface {}" : schema.definition.split(".").slice(-2).join(".");
    case "any":
      return schema.object ? "map[string]interface {}" : "interface {}";
    default:
      return scalarNames[schema.kind] ?? schema.kind;
  }
}

/** The kind of a JSON value as decode errors name it: `string`, `number`, `bool`, `object`, `array`. */
export function jsonTypeName(value: JsonValue | undefined): string {
  if (Array.isArray(value)) return "array";
  if (typeof value === "bigint") return "number";
  return typeof value === "boolean" ? "bool" : typeof value;
}
