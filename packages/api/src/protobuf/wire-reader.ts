import { DecodeFailure } from "../schema/decode-failure.ts";

const twoTo32 = 2 ** 32;

/** How a value stands in the bytes: 0 a varint, 1 eight bytes, 2 a length and as many bytes, 5 four bytes; 3 and 4 around a group. */
export type WireType = number;

/** Reads protobuf off a piece of a buffer, from the front. Copies nothing. All methods throw `DecodeFailure` where bytes are missing. */
export class WireReader {
  readonly #bytes: Buffer;
  readonly #end: number;
  #at: number;
  #low = 0;
  #high = 0;

  constructor(bytes: Uint8Array, at = 0, end = bytes.length) {
    this.#bytes = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#at = at;
    this.#end = end;
  }

  get done(): boolean {
    return this.#at >= this.#end;
  }

  /** The next field's number and wire type. */
  tag(): { readonly number: number; readonly wire: WireType } {
    this.#varint();
    const wire = this.#low & 7;
    const number = this.#high === 0 ? this.#low >>> 3 : Number.NaN;
    if (!(number > 0)) throw new DecodeFailure(`proto: illegal tag ${number || 0} (wire type ${wire})`);
    return { number, wire };
  }

  bool(): boolean {
    this.#varint();
    return this.#low !== 0 || this.#high !== 0;
  }

  int32(): number {
    this.#varint();
    return this.#low | 0;
  }

  /** A signed integer of 64 bits. Beyond 2^53 the last digits are lost, as they are in JSON. */
  int64(): number {
    this.#varint();
    return (this.#high | 0) * twoTo32 + this.#low;
  }

  double(): number {
    return this.#bytes.readDoubleLE(this.#take(8));
  }

  string(): string {
    const length = this.#length();
    const at = this.#take(length);
    return length === 0 ? "" : this.#bytes.toString("utf8", at, at + length);
  }

  bytes(): Buffer {
    const length = this.#length();
    const at = this.#take(length);
    return this.#bytes.subarray(at, at + length);
  }

  /** A reader of the message that comes next. */
  message(): WireReader {
    const length = this.#length();
    const at = this.#take(length);
    return new WireReader(this.#bytes, at, at + length);
  }

  /** Passes over a value that nobody knows. */
  skip(wire: WireType): void {
    let depth = 0;
    let next = wire;
    for (;;) {
      if (next === 0) this.#varint();
      else if (next === 1) this.#take(8);
      else if (next === 2) this.#take(this.#length());
      else if (next === 3) depth++;
      else if (next === 5) this.#take(4);
      else if (next === 4 && depth > 0) depth--;
      else if (next === 4) throw new DecodeFailure("proto: unexpected end of group");
      else throw new DecodeFailure(`proto: illegal wireType ${next}`);
      if (depth === 0) return;
      next = this.tag().wire;
    }
  }

  #length(): number {
    this.#varint();
    return this.#high * twoTo32 + this.#low;
  }

  #take(length: number): number {
    const at = this.#at;
    if (length > this.#end - at) throw new DecodeFailure("unexpected EOF");
    this.#at = at + length;
    return at;
  }

  #varint(): void {
    let low = 0;
    let high = 0;
    for (let index = 0; index < 10; index++) {
      const byte = this.#at < this.#end ? this.#bytes[this.#at++] : undefined;
      if (byte === undefined) throw new DecodeFailure("unexpected EOF");
      const bits = byte & 0x7f;
      if (index < 4) low |= bits << (7 * index);
      else if (index === 4) {
        low |= bits << 28;
        high = bits >>> 4;
      } else high |= bits << (7 * index - 32);
      if (byte < 0x80) {
        this.#low = low >>> 0;
        this.#high = high >>> 0;
        return;
      }
    }
    throw new DecodeFailure("proto: integer overflow");
  }
}
