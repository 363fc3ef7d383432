import { assert } from "@skiff/base";
import { messages } from "../generated/protobuf.ts";
import { metricsMessages } from "./metrics-messages.ts";

/** How a value is written: as a message of its own, as one of the scalars of protobuf, or in a way that JSON shows differently. */
export type ValueKind =
  | "message"
  | "string"
  | "bytes"
  | "bool"
  | "int32"
  | "int64"
  | "double"
  | "quantity"
  | "time"
  | "microTime"
  | "intOrString"
  | "json"
  | "strings"
  | "schemaOrArray"
  | "schemaOrBool"
  | "schemaOrStrings";

/** One field of a message. */
export interface MessageField {
  /** Its name in JSON. */
  readonly name: string;
  readonly number: number;
  readonly kind: ValueKind;
  /** Short name of the message that the value is; empty for other kinds. */
  readonly message: string;
  /** `inline`: JSON shows the members of the message among those of the one around it. Maps are from string. */
  readonly form: "single" | "list" | "map" | "inline";
  /** An empty scalar says something: the field is required, or the original holds it by pointer. */
  readonly keepsEmpty: boolean;
}

export interface MessageTable {
  /** By number, ascending. */
  readonly fields: readonly MessageField[];
  readonly byNumber: ReadonlyMap<number, MessageField>;
}

const kinds: Readonly<Record<ValueKind, true>> = {
  message: true,
  string: true,
  bytes: true,
  bool: true,
  int32: true,
  int64: true,
  double: true,
  quantity: true,
  time: true,
  microTime: true,
  intOrString: true,
  json: true,
  strings: true,
  schemaOrArray: true,
  schemaOrBool: true,
  schemaOrStrings: true,
};

const isKind = (text: string): text is ValueKind => Object.hasOwn(kinds, text);

const read = new Map<string, MessageTable>();

/** The fields of a message by short name (`core.v1.Pod`); `undefined` where there is none. Read on first use. */
export function findMessage(name: string): MessageTable | undefined {
  const known = read.get(name);
  if (known !== undefined) return known;
  const source = Object.hasOwn(messages, name) ? messages : metricsMessages;
  const text = Object.hasOwn(source, name) ? source[name] : undefined;
  if (text === undefined) return undefined;
  const fields = text === "" ? [] : text.split("|").map(fieldOf);
  const table = { fields, byNumber: new Map(fields.map((field) => [field.number, field])) };
  read.set(name, table);
  return table;
}

/** The fields of a message by short name. Asserts that there is one. */
export function messageTable(name: string): MessageTable {
  const table = findMessage(name);
  assert(table !== undefined, `no message ${name}`);
  return table;
}

/**
 * Reads `NAME NUMBER TYPE`. A type is a kind or `@MESSAGE`, after `[]` for lists, `{}` for maps, `^` for inline messages; `!`
 * follows it where an empty value says something.
 *
 * @example "template 3 @core.v1.PodTemplateSpec"
 */
function fieldOf(text: string): MessageField {
  const [name = "", number = "", notation = ""] = text.split(" ");
  const parts = /^(\[\]|\{\}|\^)?(@?)([^!]+)(!?)$/.exec(notation);
  assert(parts !== null, text);
  const [, form = "", at, type = "", mark] = parts;
  const kind = at === "@" ? "message" : type;
  assert(isKind(kind), text);
  return {
    name,
    number: Number(number),
    kind,
    message: at === "@" ? type : "",
    form: form === "[]" ? "list" : form === "{}" ? "map" : form === "^" ? "inline" : "single",
    keepsEmpty: mark === "!",
  };
}
