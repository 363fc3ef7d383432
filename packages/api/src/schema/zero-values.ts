/**
 * What Kubernetes' own form does with values that say nothing. It holds most fields by value, and writes the required ones among
 * them always (`"message": ""`), the others only when they are not empty (no `hostNetwork: false`). What it holds by pointer
 * is written as it was sent (`replicas: 0`). The same facts decide what is written in protobuf.
 */
import { findMessage, type MessageField } from "../protobuf/message-table.ts";
import type { Schema, StructSchema } from "./schema.ts";

/** The zero values of one definition's fields. */
export interface ZeroValues {
  /** Required fields with the value that they have when nobody says one. */
  readonly always: readonly (readonly [name: string, zero: string | number | boolean])[];
  /** Fields that are left out when empty. */
  readonly leftOut: ReadonlySet<string>;
}

/** Required texts that are held by pointer: that they are missing is told apart from that they are empty. */
const requiredByPointer: ReadonlySet<string> = new Set([
  "networking.v1.HTTPIngressPath.pathType",
  "admissionregistration.v1.MutatingWebhook.sideEffects",
  "admissionregistration.v1.ValidatingWebhook.sideEffects",
]);

const none: ZeroValues = { always: [], leftOut: new Set() };
const known = new Map<string, ZeroValues>();

/** The zero values of a definition. Nothing for schemas that are none of Kubernetes' own definitions. */
export function zeroValuesOf(schema: StructSchema): ZeroValues {
  const { definition } = schema;
  if (definition === "") return none;
  const found = known.get(definition);
  if (found !== undefined) return found;
  const values = compute(schema);
  known.set(definition, values);
  return values;
}

function compute(schema: StructSchema): ZeroValues {
  const byName = new Map(fieldsOf(schema.definition).map((field) => [field.name, field]));
  const always: [string, string | number | boolean][] = [];
  const leftOut = new Set<string>();
  for (const name of schema.fieldNames) {
    const field = schema.field(name);
    const isRequired = schema.required.includes(name);
    // Ports of probes: a number where nothing is said. Others of this type are left alone.
    const isPort = isRequired && field?.schema.kind === "intOrString";
    const zero = isPort ? 0 : field === undefined ? undefined : zeroOf(field.schema);
    if (zero === undefined) continue;
    if (isRequired && !requiredByPointer.has(`${schema.definition}.${name}`)) always.push([name, zero]);
    const message = byName.get(name);
    if (!isRequired && message?.form === "single" && !message.keepsEmpty) leftOut.add(name);
  }
  return { always, leftOut };
}

/** The fields of a message, those of messages within that JSON does not show among them. */
const fieldsOf = (message: string): readonly MessageField[] =>
  (findMessage(message)?.fields ?? []).flatMap((field) =>
    field.form === "inline" ? fieldsOf(field.message) : [field],
  );

function zeroOf(schema: Schema): string | number | boolean | undefined {
  switch (schema.kind) {
    case "string":
      return "";
    case "boolean":
      return false;
    case "int32":
    case "int64":
    case "number":
      return 0;
    default:
      return undefined;
  }
}
