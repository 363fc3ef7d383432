import { assertNever, isJsonObject, type JsonObject, type JsonValue } from "@skiff/base";
import { schemaMessage } from "./decode-message.ts";
import { type MessageField, messageTable } from "./message-table.ts";
import { writeTime } from "./times.ts";
import type { WireWriter } from "./wire-writer.ts";

/**
 * Writes the fields of a message: those that `object` has, in the order of their numbers. Members that the message does not have
 * are left out, and so are values of a wrong type: no object that was decoded has one, and a watch must not break over one that
 * a component in this process got wrong.
 */
export function writeMessage(writer: WireWriter, message: string, object: JsonObject): void {
  const { fields } = messageTable(message);
  for (let index = fields.length - 1; index >= 0; index--) {
    const field = fields[index];
    if (field !== undefined) writeField(writer, field, object);
  }
}

function writeField(writer: WireWriter, field: MessageField, object: JsonObject): void {
  const { number } = field;
  if (field.form === "inline") {
    const before = writer.size;
    writeMessage(writer, field.message, object);
    if (writer.size > before) writer.lengthOf(number, writer.size - before);
    return;
  }
  const value = object[field.name];
  if (value === undefined || value === null) return;
  if (field.form === "single") writeValue(writer, { field, number, value });
  else if (field.form === "list") {
    if (!Array.isArray(value)) return;
    for (let index = value.length - 1; index >= 0; index--) {
      writeValue(writer, { field, number, value: value[index] ?? null });
    }
  } else {
    if (!isJsonObject(value)) return;
    for (const key of Object.keys(value).sort().reverse()) {
      const before = writer.size;
      writeValue(writer, { field, number: 2, value: value[key] ?? null });
      writer.string(1, key);
      writer.lengthOf(number, writer.size - before);
    }
  }
}

interface Written {
  readonly field: MessageField;
  readonly number: number;
  readonly value: JsonValue;
}

function writeValue(writer: WireWriter, { field, number, value }: Written): void {
  switch (field.kind) {
    case "string":
      if (typeof value !== "string") return;
      writer.string(number, value);
      return;
    case "bytes":
      if (typeof value !== "string") return;
      writer.bytes(number, Buffer.from(value, "base64"));
      return;
    case "bool":
      if (typeof value !== "boolean") return;
      writer.bool(number, value);
      return;
    case "int32":
    case "int64":
      if (!Number.isInteger(value) || typeof value !== "number") return;
      writer.integer(number, value);
      return;
    case "double":
      if (typeof value !== "number") return;
      writer.double(number, value);
      return;
    default: {
      const before = writer.size;
      writeContent(writer, field, value);
      writer.lengthOf(number, writer.size - before);
    }
  }
}

/** Writes what stands in a message, without its tag and length. Nulls are empty messages. */
function writeContent(writer: WireWriter, field: MessageField, value: JsonValue): void {
  if (value === null) return;
  switch (field.kind) {
    case "message":
      if (!isJsonObject(value)) return;
      writeMessage(writer, field.message, value);
      return;
    case "quantity":
      writer.string(1, String(value));
      return;
    case "time":
    case "microTime":
      writeTime(writer, String(value), field.kind);
      return;
    case "intOrString":
      if (typeof value === "number") {
        writer.integer(2, value);
        writer.integer(1, 0);
        return;
      }
      writer.string(3, String(value));
      writer.integer(1, 1);
      return;
    case "json":
      writer.bytes(1, Buffer.from(JSON.stringify(value)));
      return;
    case "strings":
      writeTexts(writer, 1, value);
      return;
    case "schemaOrArray":
    case "schemaOrBool":
    case "schemaOrStrings":
      writeSchemaOr(writer, field.kind, value);
      return;
    case "string":
    case "bytes":
    case "bool":
    case "int32":
    case "int64":
    case "double":
      return;
    default:
      assertNever(field.kind);
  }
}

function writeTexts(writer: WireWriter, number: number, value: JsonValue): void {
  if (!Array.isArray(value)) return;
  for (const text of value.toReversed()) writer.string(number, String(text));
}

function writeSchemaOr(
  writer: WireWriter,
  kind: "schemaOrArray" | "schemaOrBool" | "schemaOrStrings",
  value: JsonValue,
): void {
  const writeSchema = (number: number, schema: JsonValue) => {
    const before = writer.size;
    if (isJsonObject(schema)) writeMessage(writer, schemaMessage, schema);
    writer.lengthOf(number, writer.size - before);
  };
  if (kind === "schemaOrBool") {
    if (isJsonObject(value)) writeSchema(2, value);
    // A schema allows what it describes.
    writer.bool(1, value !== false);
  } else if (!Array.isArray(value)) writeSchema(1, value);
  else if (kind === "schemaOrStrings") writeTexts(writer, 2, value);
  else for (const schema of value.toReversed()) writeSchema(2, schema);
}
