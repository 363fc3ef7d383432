/**
 * Writes protobuf from its end to its beginning: when a message's length is to be written, the message is there already, and
 * nothing must be counted beforehand or moved afterwards. So the last field comes first.
 */
export class WireWriter {
  #buffer: Buffer;
  /** Where what is written begins. */
  #at: number;

  constructor(expectedBytes = 1024) {
    this.#buffer = Buffer.allocUnsafe(expectedBytes);
    this.#at = expectedBytes;
  }

  /** How many bytes are written. */
  get size(): number {
    return this.#buffer.length - this.#at;
  }

  /** What is written. The writer must not be used after that. */
  finish(): Buffer {
    return this.#buffer.subarray(this.#at);
  }

  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#at -= bytes.length;
    this.#buffer.set(bytes, this.#at);
  }

  /** Writes bytes with their length, and before them the field's tag. */
  bytes(number: number, bytes: Uint8Array): void {
    this.raw(bytes);
    this.lengthOf(number, bytes.length);
  }

  string(number: number, text: string): void {
    const length = Buffer.byteLength(text);
    this.#reserve(length);
    this.#at -= length;
    this.#buffer.write(text, this.#at, "utf8");
    this.lengthOf(number, length);
  }

  /** Writes the length and the tag of what has just been written. */
  lengthOf(number: number, length: number): void {
    this.#unsigned(length);
    this.#tag(number, 2);
  }

  /** An integer between −2^63 and 2^63. */
  integer(number: number, value: number): void {
    if (value >= 0 && value < 2 ** 31) this.#unsigned(value);
    else this.#wide(BigInt.asUintN(64, BigInt(value)));
    this.#tag(number, 0);
  }

  bool(number: number, value: boolean): void {
    this.integer(number, value ? 1 : 0);
  }

  double(number: number, value: number): void {
    this.#reserve(8);
    this.#at -= 8;
    this.#buffer.writeDoubleLE(value, this.#at);
    this.#tag(number, 1);
  }

  #tag(number: number, wire: number): void {
    this.#unsigned((number << 3) | wire);
  }

  #unsigned(value: number): void {
    let length = 1;
    for (let rest = value >>> 7; rest > 0; rest >>>= 7) length++;
    this.#reserve(length);
    this.#at -= length;
    let at = this.#at;
    let rest = value;
    for (; rest > 0x7f; rest >>>= 7) this.#buffer[at++] = (rest & 0x7f) | 0x80;
    this.#buffer[at] = rest;
  }

  #wide(value: bigint): void {
    const bytes: number[] = [];
    let rest = value;
    for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
    bytes.push(Number(rest));
    this.raw(Buffer.from(bytes));
  }

  #reserve(length: number): void {
    if (length <= this.#at) return;
    const { size } = this;
    const larger = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, size + length));
    this.#buffer.copy(larger, larger.length - size, this.#at);
    this.#at = larger.length - size;
    this.#buffer = larger;
  }
}
