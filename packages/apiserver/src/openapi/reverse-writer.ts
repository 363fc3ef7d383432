/**
 * Writes protobuf from its end to its beginning: where a message's length belongs, the message is there already, and nothing is
 * counted beforehand or moved afterwards. So the last field of a message is written first.
 */
export class ReverseWriter {
  #buffer: Buffer;
  /** Where what is written begins. */
  #at: number;

  constructor(expectedBytes: number) {
    this.#buffer = Buffer.allocUnsafe(expectedBytes);
    this.#at = expectedBytes;
  }

  /** A copy of what is written, which holds no byte more. */
  finish(): Buffer {
    return Buffer.copyBytesFrom(this.#buffer, this.#at);
  }

  string(number: number, text: string): void {
    const length = Buffer.byteLength(text);
    this.#reserve(length);
    this.#buffer.write(text, this.#at, "utf8");
    this.#unsigned(length);
    this.#tag(number, 2);
  }

  /** A message that `write` writes. */
  message(number: number, write: () => void): void {
    const end = this.#buffer.length - this.#at;
    write();
    this.#unsigned(this.#buffer.length - this.#at - end);
    this.#tag(number, 2);
  }

  bool(number: number, value: boolean): void {
    this.#unsigned(value ? 1 : 0);
    this.#tag(number, 0);
  }

  /** A whole number between −2^53 and 2^53. */
  int64(number: number, value: number): void {
    const bytes: number[] = [];
    let rest = BigInt.asUintN(64, BigInt(value));
    for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
    bytes.push(Number(rest));
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.#at);
    this.#tag(number, 0);
  }

  double(number: number, value: number): void {
    this.#reserve(8);
    this.#buffer.writeDoubleLE(value, this.#at);
    this.#tag(number, 1);
  }

  #tag(number: number, wireType: number): void {
    this.#unsigned((number << 3) | wireType);
  }

  #unsigned(value: number): void {
    let length = 1;
    for (let rest = value >>> 7; rest > 0; rest >>>= 7) length++;
    this.#reserve(length);
    let at = this.#at;
    let rest = value;
    for (; rest > 0x7f; rest >>>= 7) this.#buffer[at++] = (rest & 0x7f) | 0x80;
    this.#buffer[at] = rest;
  }

  /** Makes room for `length` bytes and moves there. */
  #reserve(length: number): void {
    if (length > this.#at) {
      const written = this.#buffer.length - this.#at;
      const larger = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, written + length));
      this.#buffer.copy(larger, larger.length - written, this.#at);
      this.#at = larger.length - written;
      this.#buffer = larger;
    }
    this.#at -= length;
  }
}
