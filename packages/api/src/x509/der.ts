/** Just enough of DER (X.690) to read certificate requests: tags of one byte, definite lengths. */

/** An element: its tag, its content, and all its bytes. */
export interface DerElement {
  readonly tag: number;
  readonly content: Buffer;
  readonly raw: Buffer;
}

/** Tags by name; 0xa0 is what a context makes of it. */
export const derTag = { bitString: 0x03, oid: 0x06, sequence: 0x30, set: 0x31, context0: 0xa0 } as const;

/** The elements that follow each other in `bytes`. Throws where that is no DER. */
export function readDer(bytes: Buffer): DerElement[] {
  const elements: DerElement[] = [];
  for (let at = 0; at < bytes.length; ) {
    const tag = bytes[at] ?? 0;
    const first = bytes[at + 1];
    if (first === undefined || (tag & 0x1f) === 0x1f) throw new Error("asn1: syntax error: data truncated");
    const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
    if (first === 0x80 || lengthBytes > 4) throw new Error("asn1: syntax error: indefinite length found (not DER)");
    const start = at + 2 + lengthBytes;
    if (start > bytes.length) throw new Error("asn1: syntax error: data truncated");
    const length = lengthBytes === 0 ? first : bytes.readUIntBE(at + 2, lengthBytes);
    const end = start + length;
    if (end > bytes.length) throw new Error("asn1: syntax error: data truncated");
    elements.push({ tag, content: bytes.subarray(start, end), raw: bytes.subarray(at, end) });
    at = end;
  }
  return elements;
}

/** The one element that `bytes` are. */
export function readOne(bytes: Buffer): DerElement {
  const [only, ...more] = readDer(bytes);
  if (only === undefined || more.length > 0) throw new Error("asn1: syntax error: trailing data");
  return only;
}

/** `2.5.4.3`. */
export function readOid({ tag, content }: DerElement): string {
  if (tag !== derTag.oid) throw new Error("asn1: structure error: tags don't match");
  const numbers: number[] = [];
  let value = 0;
  for (const byte of content) {
    value = value * 128 + (byte & 0x7f);
    if ((byte & 0x80) !== 0) continue;
    if (numbers.length === 0) {
      const top = Math.min(Math.floor(value / 40), 2);
      numbers.push(top, value - top * 40);
    } else numbers.push(value);
    value = 0;
  }
  return numbers.join(".");
}
