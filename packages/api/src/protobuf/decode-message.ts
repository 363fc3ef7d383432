import { isJsonObject, type JsonObject, type JsonValue, parseJson } from "@skiff/base";
import { deepestNesting } from "../schema/conform.ts";
import { DecodeFailure } from "../schema/decode-failure.ts";
import { type MessageField, messageTable } from "./message-table.ts";
import { readTime } from "./times.ts";
import type { WireReader, WireType } from "./wire-reader.ts";

/** Reads the object in an envelope that stands where JSON could stand. */
type EnvelopeReader = (bytes: Buffer, depth: number) => JsonObject;

/** Reads messages into JSON, as the original's types would write it. One is made for every body. */
export class MessageDecoder {
  readonly #readEnvelope: EnvelopeReader;
  #depth: number;

  constructor(readEnvelope: EnvelopeReader, depth = 0) {
    this.#readEnvelope = readEnvelope;
    this.#depth = depth;
  }

  /** Adds the fields of a message to `object`. Throws `DecodeFailure`. */
  into(object: JsonObject, message: string, reader: WireReader): JsonObject {
    if (++this.#depth > deepestNesting) throw new DecodeFailure("exceeded max depth");
    const { byNumber } = messageTable(message);
    while (!reader.done) {
      const { number, wire } = reader.tag();
      const field = byNumber.get(number);
      if (field === undefined) reader.skip(wire);
      else this.#field(object, field, { reader, wire });
    }
    this.#depth--;
    return object;
  }

  #field(object: JsonObject, field: MessageField, from: Source): void {
    const before = object[field.name];
    switch (field.form) {
      case "inline":
        checkWire(field, from.wire, 2);
        this.into(object, field.message, from.reader.message());
        return;
      case "list": {
        const list = Array.isArray(before) ? before : [];
        object[field.name] = list;
        this.#items(list, field, from);
        return;
      }
      case "map": {
        const map = isJsonObject(before) ? before : {};
        object[field.name] = map;
        checkWire(field, from.wire, 2);
        this.#entry(map, field, from.reader.message());
        return;
      }
      case "single": {
        const value = this.#value(field, from, before);
        if (value === undefined || (isEmptyScalar(value) && !field.keepsEmpty && isScalar(field))) {
          delete object[field.name];
        } else object[field.name] = value;
      }
    }
  }

  /** Numbers of a list may stand one by one or packed together. */
  #items(list: JsonValue[], field: MessageField, from: Source): void {
    if (from.wire !== 2 || wireOf(field) === 2) {
      list.push(this.#value(field, from, undefined) ?? null);
      return;
    }
    const packed = from.reader.message();
    while (!packed.done) list.push(this.#value(field, { reader: packed, wire: wireOf(field) }, undefined) ?? null);
  }

  #entry(map: JsonObject, field: MessageField, reader: WireReader): void {
    let key = "";
    let value: JsonValue | undefined;
    while (!reader.done) {
      const { number, wire } = reader.tag();
      if (number === 1 && wire === 2) key = reader.string();
      else if (number === 2) value = this.#value(field, { reader, wire }, value);
      else reader.skip(wire);
    }
    // An ordinary assignment would take this key for the prototype's.
    const entry = { value: value ?? zeroOf(field), enumerable: true, configurable: true, writable: true };
    if (key === "__proto__") Object.defineProperty(map, key, entry);
    else map[key] = entry.value;
  }

  #value(field: MessageField, { reader, wire }: Source, before: JsonValue | undefined): JsonValue | undefined {
    checkWire(field, wire, wireOf(field));
    switch (field.kind) {
      case "message":
        // What comes in two pieces is one message.
        return this.into(isJsonObject(before) ? before : {}, field.message, reader.message());
      case "string":
        return reader.string();
      case "bytes":
        return reader.bytes().toString("base64");
      case "bool":
        return reader.bool();
      case "int32":
        return reader.int32();
      case "int64":
        return reader.int64();
      case "double":
        return finite(reader.double());
      default:
        return this.#special(field.kind, reader.message());
    }
  }

  #special(kind: Exclude<MessageField["kind"], ScalarKind | "message">, reader: WireReader): JsonValue | undefined {
    switch (kind) {
      case "quantity":
        return lastText(reader) ?? "0";
      case "time":
      case "microTime":
        return readTime(reader, kind);
      case "intOrString":
        return readIntOrString(reader);
      case "strings":
        return texts(reader);
      case "json":
        return this.#json(reader);
      default:
        return this.#schemaOr(kind, reader);
    }
  }

  /** JSON as text, or an object in an envelope of its own. */
  #json(reader: WireReader): JsonValue | undefined {
    let bytes: Buffer | undefined;
    while (!reader.done) {
      const { number, wire } = reader.tag();
      if (number === 1 && wire === 2) bytes = reader.bytes();
      else reader.skip(wire);
    }
    if (bytes === undefined || bytes.length === 0) return undefined;
    if (bytes.subarray(0, 4).equals(envelopeMark)) return this.#readEnvelope(bytes, this.#depth);
    try {
      const value = parseJson(bytes.toString("utf8"));
      return value ?? undefined;
    } catch (error) {
      throw new DecodeFailure(error instanceof Error ? error.message : "invalid JSON", { cause: error });
    }
  }

  /** A JSON schema, or the simpler thing that a custom resource's definition may have in its place. */
  #schemaOr(kind: "schemaOrArray" | "schemaOrBool" | "schemaOrStrings", reader: WireReader): JsonValue | undefined {
    const schemaNumber = kind === "schemaOrBool" ? 2 : 1;
    let schema: JsonObject | undefined;
    let allows = false;
    const list: JsonValue[] = [];
    while (!reader.done) {
      const { number, wire } = reader.tag();
      if (number === schemaNumber && wire === 2) schema = this.into(schema ?? {}, schemaMessage, reader.message());
      else if (number === 1 && wire === 0) allows = reader.bool();
      else if (number === 2 && wire === 2 && kind === "schemaOrArray") {
        list.push(this.into({}, schemaMessage, reader.message()));
      } else if (number === 2 && wire === 2) list.push(reader.string());
      else reader.skip(wire);
    }
    if (kind === "schemaOrBool") return schema ?? allows;
    return list.length > 0 ? list : schema;
  }
}

interface Source {
  readonly reader: WireReader;
  readonly wire: WireType;
}

/** The first bytes of every envelope. */
export const envelopeMark: Buffer = Buffer.from("k8s\0");

/** The message that schemas within schemas are. */
export const schemaMessage = "apiextensions.v1.JSONSchemaProps";

type ScalarKind = "string" | "bytes" | "bool" | "int32" | "int64" | "double";

const isScalar = ({ kind }: MessageField): boolean => scalarWires[kind] !== undefined;

const scalarWires: Readonly<Partial<Record<MessageField["kind"], WireType>>> = {
  string: 2,
  bytes: 2,
  bool: 0,
  int32: 0,
  int64: 0,
  double: 1,
};

const wireOf = ({ kind }: MessageField): WireType => scalarWires[kind] ?? 2;

function checkWire(field: MessageField, wire: WireType, expected: WireType): void {
  if (wire === expected) return;
  const name = field.name.charAt(0).toUpperCase() + field.name.slice(1);
  throw new DecodeFailure(`proto: wrong wireType = ${wire} for field ${name}`);
}

const isEmptyScalar = (value: JsonValue): boolean => value === "" || value === 0 || value === false;

/** What a map has for a key that came without a value. */
function zeroOf({ kind }: MessageField): JsonValue {
  if (kind === "message") return {};
  if (kind === "strings") return [];
  if (kind === "quantity") return "0";
  return kind === "string" || kind === "bytes" ? "" : null;
}

function finite(value: number): number {
  if (Number.isFinite(value)) return value;
  throw new DecodeFailure(`json: unsupported value: ${value}`);
}

function lastText(reader: WireReader): string | undefined {
  return texts(reader).at(-1);
}

function texts(reader: WireReader): string[] {
  const list: string[] = [];
  while (!reader.done) {
    const { number, wire } = reader.tag();
    if (number === 1 && wire === 2) list.push(reader.string());
    else reader.skip(wire);
  }
  return list;
}

function readIntOrString(reader: WireReader): number | string {
  let isText = false;
  let number = 0;
  let text = "";
  while (!reader.done) {
    const tag = reader.tag();
    if (tag.number === 1 && tag.wire === 0) isText = reader.int64() === 1;
    else if (tag.number === 2 && tag.wire === 0) number = reader.int32();
    else if (tag.number === 3 && tag.wire === 2) text = reader.string();
    else reader.skip(tag.wire);
  }
  return isText ? text : number;
}
