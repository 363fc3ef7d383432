/** What a field's bytes are, by wire type: a number, or a piece of the message. */
export type WireValue =
  | { readonly kind: "number"; readonly value: bigint }
  | { readonly kind: "bytes"; readonly value: Buffer };

/** One field of a message as it is on the wire. */
export interface WireField {
  readonly tag: number;
  readonly value: WireValue;
}

/** Thrown for bytes that are no protobuf message. */
export class WireError extends Error {
  override name = "WireError";
}

/** Reads a message field by field. https://protobuf.dev/programming-guides/encoding/ Throws `WireError`. */
export function* wireFields(message: Buffer): Generator<WireField> {
  const reader = new WireReader(message);
  while (!reader.atEnd) {
    const key = reader.varint();
    const tag = Number(key >> 3n);
    if (tag === 0) throw new WireError("proto: illegal tag 0");
    yield { tag, value: reader.value(Number(key & 7n)) };
  }
}

class WireReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get atEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  value(wireType: number): WireValue {
    switch (wireType) {
      case 0:
        return { kind: "number", value: this.varint() };
      case 1:
        return { kind: "bytes", value: this.#take(8) };
      case 2:
        return { kind: "bytes", value: this.#take(Number(this.varint())) };
      case 5:
        return { kind: "bytes", value: this.#take(4) };
      default:
        throw new WireError(`proto: illegal wireType ${wireType}`);
    }
  }

  varint(): bigint {
    let result = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) throw new WireError("unexpected EOF");
      result |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, result);
    }
    throw new WireError("proto: integer overflow");
  }

  #take(length: number): Buffer {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new WireError("unexpected EOF");
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }
}
