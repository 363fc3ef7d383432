/** Thrown for bytes that are no protobuf message. */
export class ProtobufError extends Error {
  override name = "ProtobufError";
}

/** One field as it stands in the bytes: a number, or a piece of bytes. */
export interface RawField {
  readonly number: number;
  readonly value: bigint | Buffer;
}

/** Takes a message apart. Fields of numbers that nobody knows come, too. */
export function* rawFields(bytes: Buffer): Generator<RawField> {
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = bytes[at++];
      if (byte === undefined) throw new ProtobufError("unexpected EOF");
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw new ProtobufError("integer overflow");
  };
  const take = (length: number): Buffer => {
    if (at + length > bytes.length) throw new ProtobufError("unexpected EOF");
    const piece = bytes.subarray(at, at + length);
    at += length;
    return piece;
  };
  while (at < bytes.length) {
    const tag = Number(varint());
    const number = Math.floor(tag / 8);
    if (number === 0) throw new ProtobufError("illegal tag 0");
    switch (tag % 8) {
      case 0:
        yield { number, value: varint() };
        break;
      case 1:
        yield { number, value: take(8) };
        break;
      case 2:
        yield { number, value: take(Number(varint())) };
        break;
      case 5:
        yield { number, value: take(4) };
        break;
      default:
        throw new ProtobufError(`illegal wire type ${tag % 8}`);
    }
  }
}
