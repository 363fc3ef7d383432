/**
 * How the members of a JSON object become the fields of a protobuf message. A message is described by what to do with each
 * member that it knows; members that it does not know are left out, and so are values of another type and what is the default.
 */
import { isJsonObject, type JsonObject, type JsonValue } from "@skiff/base";
import type { ReverseWriter } from "./reverse-writer.ts";

/** Writes a value as the field, or the fields, that it is in a message. */
export type FieldWriter = (writer: ReverseWriter, value: JsonValue) => void;

/** What a message takes from a JSON object. */
export interface MessageShape {
  /** By the object's member, in the order of the fields' numbers. */
  readonly fields: Readonly<Record<string, FieldWriter>>;
  /** The number of the field for members whose names begin with `x-`. */
  readonly extensions?: number;
}

export const text =
  (number: number): FieldWriter =>
  (writer, value) => {
    if (typeof value === "string" && value !== "") writer.string(number, value);
  };

/** Repeated strings; a string by itself is a list of one. */
export const texts =
  (number: number): FieldWriter =>
  (writer, value) => {
    for (const item of [value].flat().reverse()) if (typeof item === "string") writer.string(number, item);
  };

export const flag =
  (number: number): FieldWriter =>
  (writer, value) => {
    if (value === true) writer.bool(number, value);
  };

export const double =
  (number: number): FieldWriter =>
  (writer, value) => {
    if (typeof value === "number" && value !== 0) writer.double(number, value);
  };

export const int64 =
  (number: number): FieldWriter =>
  (writer, value) => {
    if (Number.isSafeInteger(value) && value !== 0) writer.int64(number, Number(value));
  };

/** `Any`: the value as YAML, which JSON is. Readers refuse some characters as they stand that JSON does not mind. */
export const any =
  (number: number): FieldWriter =>
  (writer, value) =>
    writer.message(number, () => writer.string(2, JSON.stringify(value).replace(unprintable, escaped)));

const unprintable = /[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]/g;
const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;

/** A message whose fields `inner` writes from the same value. */
export const within =
  (number: number, inner: FieldWriter): FieldWriter =>
  (writer, value) =>
    writer.message(number, () => inner(writer, value));

/** One field for each item of a list; a value by itself is a list of one. */
export const each =
  (inner: FieldWriter): FieldWriter =>
  (writer, value) => {
    for (const item of [value].flat().reverse()) inner(writer, item);
  };

/** A message for each member of an object: its name, and its value as `inner` writes it. */
export const entries =
  (number: number, inner: FieldWriter): FieldWriter =>
  (writer, value) => {
    if (isJsonObject(value)) writeEntries(writer, { number, inner, members: Object.entries(value) });
  };

/** A message made of an object. */
export const message =
  (number: number, shape: MessageShape): FieldWriter =>
  (writer, value) => {
    if (isJsonObject(value)) writer.message(number, () => writeFields(writer, shape, value));
  };

/** Writes the fields of a message. */
export function writeFields(writer: ReverseWriter, { fields, extensions }: MessageShape, object: JsonObject): void {
  if (extensions !== undefined) {
    const members = Object.entries(object).filter(([name]) => name.startsWith("x-"));
    writeEntries(writer, { number: extensions, inner: any(2), members });
  }
  for (const [name, write] of Object.entries(fields).reverse()) {
    const value = object[name];
    if (value !== undefined) write(writer, value);
  }
}

interface Entries {
  readonly number: number;
  readonly inner: FieldWriter;
  readonly members: [string, JsonValue | undefined][];
}

function writeEntries(writer: ReverseWriter, { number, inner, members }: Entries): void {
  for (const [name, value] of members.reverse()) {
    if (value === undefined) continue;
    writer.message(number, () => {
      inner(writer, value);
      writer.string(1, name);
    });
  }
}
