/**
 * Protocol Buffers on the wire, driven by the tables in `generated/`: nothing is parsed or compiled at start. Reads
 * give every field (zero, empty or `undefined` for a message that is not there); fields that are not known are skipped.
 * 64-bit integers are JavaScript numbers: nanoseconds since 1970 lose less than a microsecond.
 */
import { assert } from "@skiff/base";

/** What is to be written: any part of a message, at any depth. */
export type Init<T> = T extends Uint8Array | string | number | boolean | undefined
  ? T
  : T extends readonly (infer Item)[]
    ? readonly Init<Item>[]
    : { readonly [Key in keyof T]?: Init<T[Key]> | undefined };

/** A message's reader and writer. */
export interface MessageType<T> {
  encode(value: Init<T>): Buffer;
  /** Throws `RangeError` when the bytes end too early. */
  decode(bytes: Uint8Array): T;
  /** Every field with its zero value. */
  readonly fields: () => readonly FieldRow[];
}

/** What a table needs of a message type whatever the message. */
interface UntypedMessage {
  decode(bytes: Uint8Array): unknown;
  readonly fields: () => readonly FieldRow[];
}

type ScalarKind = "string" | "bytes" | "bool" | "int32" | "uint32" | "int64" | "uint64" | "double";

/** Number, name, kind of the value, shape, and for messages their type. Map keys are strings. */
export type FieldRow = readonly [
  number: number,
  name: string,
  kind: ScalarKind | "message",
  shape: "one" | "list" | "map",
  message?: UntypedMessage | undefined,
];

/** A method of a gRPC service. */
export interface Method<Request, Response> {
  readonly path: string;
  readonly request: MessageType<Request>;
  readonly response: MessageType<Response>;
}

export const method = <Request, Response>(
  path: string,
  request: MessageType<Request>,
  response: MessageType<Response>,
): Method<Request, Response> => ({ path, request, response });

/** Makes a message's reader and writer from its table, which is looked at when first needed (messages may be recursive). */
export function message<T>(fields: () => readonly FieldRow[]): MessageType<T> {
  let index: Map<number, FieldRow> | undefined;
  return {
    fields,
    encode(value) {
      const writer = new Writer();
      writer.fields(fields(), value);
      return writer.finish();
    },
    decode(bytes) {
      index ??= new Map(fields().map((row) => [row[0], row]));
      // The generator writes the table and the type T from the same definition.
      return readMessage(bytes, fields(), index) as T;
    },
  };
}

const bits32 = 2 ** 32;

class Writer {
  #buffer = Buffer.allocUnsafe(256);
  #length = 0;

  finish(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.#length + bytes));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }

  #varint(value: number): void {
    this.#reserve(10);
    if (value < 0) {
      let rest = BigInt.asUintN(64, BigInt(value));
      for (; rest > 0x7fn; rest >>= 7n) this.#buffer[this.#length++] = Number(rest & 0x7fn) | 0x80;
      this.#buffer[this.#length++] = Number(rest);
      return;
    }
    let rest = value;
    for (; rest > 0x7f; rest = Math.floor(rest / 128)) this.#buffer[this.#length++] = (rest % 128) | 0x80;
    this.#buffer[this.#length++] = rest;
  }

  #bytes(number: number, bytes: Uint8Array): void {
    this.#varint((number << 3) | 2);
    this.#varint(bytes.length);
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Writes what the table names; `value` is an object of the table's type. */
  fields(rows: readonly FieldRow[], value: unknown): void {
    if (typeof value !== "object" || value === null) return;
    const members = new Map(Object.entries(value));
    for (const row of rows) {
      const member: unknown = members.get(row[1]);
      if (member === undefined) continue;
      if (row[3] === "list") {
        assert(Array.isArray(member), `${row[1]} must be a list`);
        for (const item of member) this.#value(row, item, true);
      } else if (row[3] === "map") this.#map(row, member);
      else this.#value(row, member, false);
    }
  }

  #map(row: FieldRow, member: unknown): void {
    if (typeof member !== "object" || member === null) return;
    for (const [key, value] of Object.entries(member)) {
      const entry = new Writer();
      entry.#bytes(1, Buffer.from(key));
      entry.#value([2, row[1], row[2], "one", row[4]], value, true);
      this.#bytes(row[0], entry.finish());
    }
  }

  /** `always`: zero values are written too, as items of lists must be. */
  #value([number, name, kind, , type]: FieldRow, value: unknown, always: boolean): void {
    if (kind === "message") {
      const inner = new Writer();
      inner.fields(type?.fields() ?? [], value);
      this.#bytes(number, inner.finish());
    } else if (kind === "string") {
      if (always || value !== "") this.#bytes(number, Buffer.from(String(value)));
    } else if (kind === "bytes") {
      assert(value instanceof Uint8Array, `${name} must be bytes`);
      if (always || value.length > 0) this.#bytes(number, value);
    } else if (kind === "double") {
      this.#varint((number << 3) | 1);
      this.#reserve(8);
      this.#length = this.#buffer.writeDoubleLE(Number(value), this.#length);
    } else if (always || Number(value) !== 0) {
      this.#varint(number << 3);
      this.#varint(Number(value));
    }
  }
}

const zeroOf = (row: FieldRow): unknown => {
  if (row[3] === "list") return [];
  if (row[3] === "map") return {};
  switch (row[2]) {
    case "message":
      return undefined;
    case "string":
      return "";
    case "bytes":
      return Buffer.alloc(0);
    case "bool":
      return false;
    default:
      return 0;
  }
};

class Reader {
  readonly #bytes: Buffer;
  #at = 0;
  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }
  /** An unsigned 64-bit integer as its lower and upper half. */
  #halves(): readonly [number, number] {
    let [low, high] = [0, 0];
    for (let shift = 0; ; shift += 7) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined || shift > 63) throw new RangeError("message ends within a number");
      const part = byte & 0x7f;
      if (shift < 28) low += part * 2 ** shift;
      else if (shift === 28) {
        low += (part & 0x0f) * 2 ** 28;
        high = part >> 4;
      } else high += part * 2 ** (shift - 32);
      if (byte < 0x80) return [low, high % bits32];
    }
  }
  unsigned(): number {
    const [low, high] = this.#halves();
    return high * bits32 + low;
  }
  signed(): number {
    const [low, high] = this.#halves();
    return high >= 2 ** 31 ? (high - bits32) * bits32 + low : high * bits32 + low;
  }
  take(length: number): Buffer {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new RangeError("message ends within a field");
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }
  skip(wireType: number): void {
    if (wireType === 0) this.#halves();
    else if (wireType === 1) this.take(8);
    else if (wireType === 2) this.take(this.unsigned());
    else if (wireType === 5) this.take(4);
    else throw new RangeError(`unknown wire type ${wireType}`);
  }
}

function readValue(reader: Reader, row: FieldRow): unknown {
  switch (row[2]) {
    case "message":
      return row[4]?.decode(reader.take(reader.unsigned()));
    case "string":
      return reader.take(reader.unsigned()).toString("utf8");
    case "bytes":
      return reader.take(reader.unsigned());
    case "bool":
      return reader.unsigned() !== 0;
    case "double":
      return reader.take(8).readDoubleLE(0);
    case "uint32":
    case "uint64":
      return reader.unsigned();
    default:
      return reader.signed();
  }
}

const wireTypeOf = (kind: FieldRow[2]): number =>
  kind === "double" ? 1 : kind === "message" || kind === "string" || kind === "bytes" ? 2 : 0;

function readMessage(bytes: Uint8Array, rows: readonly FieldRow[], index: ReadonlyMap<number, FieldRow>): unknown {
  const result: Record<string, unknown> = {};
  for (const row of rows) result[row[1]] = zeroOf(row);
  const reader = new Reader(bytes);
  while (!reader.done) {
    const tag = reader.unsigned();
    const wireType = tag & 7;
    const row = index.get(Math.floor(tag / 8));
    if (row === undefined) {
      reader.skip(wireType);
      continue;
    }
    const held = result[row[1]];
    if (row[3] === "map") {
      readMapEntry(reader.take(reader.unsigned()), row, held);
    } else if (row[3] === "list" && Array.isArray(held)) {
      if (wireType === 2 && wireTypeOf(row[2]) !== 2) {
        const packed = new Reader(reader.take(reader.unsigned()));
        while (!packed.done) held.push(readValue(packed, row));
      } else held.push(readValue(reader, row));
    } else if (wireType === wireTypeOf(row[2])) result[row[1]] = readValue(reader, row);
    else reader.skip(wireType);
  }
  return result;
}

function readMapEntry(bytes: Uint8Array, row: FieldRow, map: unknown): void {
  const reader = new Reader(bytes);
  let key = "";
  let value: unknown = zeroOf([2, row[1], row[2], "one"]);
  while (!reader.done) {
    const tag = reader.unsigned();
    if (tag === 10) key = reader.take(reader.unsigned()).toString("utf8");
    else if (tag >> 3 === 2) value = readValue(reader, [2, row[1], row[2], "one", row[4]]);
    else reader.skip(tag & 7);
  }
  // Not by assignment: a label may be called `__proto__`.
  if (typeof map === "object" && map !== null) {
    Object.defineProperty(map, key, { value, enumerable: true, configurable: true, writable: true });
  }
}
