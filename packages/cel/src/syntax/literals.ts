import { maxInt, maxUint, minInt, Uint } from "../values/uint.ts";

/** What a number's text says, or `undefined` when it is beyond CEL's numbers. */
export function integerLiteral(text: string, negative: boolean): bigint | undefined {
  const value = negative ? -BigInt(text) : BigInt(text);
  return value < minInt || value > maxInt ? undefined : value;
}

export function uintLiteral(text: string): Uint | undefined {
  const value = BigInt(text.slice(0, -1));
  return value > maxUint ? undefined : new Uint(value);
}

const simpleEscapes: Readonly<Record<string, string>> = {
  a: "\u0007",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};

const escapes = /\\(?:[xX]([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2})|(.))/gsu;

interface Quoted {
  readonly raw: boolean;
  readonly body: string;
}

/** Cuts prefix and quotes off. */
function unquoted(token: string): Quoted {
  const prefix = /^[rRbB]*/.exec(token)?.[0] ?? "";
  const rest = token.slice(prefix.length);
  const quotes = rest.startsWith('"""') || rest.startsWith("'''") ? 3 : 1;
  const body = rest.slice(quotes, -quotes).replaceAll("\r\n", "\n").replaceAll("\r", "\n");
  return { raw: /[rR]/.test(prefix), body };
}

/** The text that a string token stands for, or `undefined` when it has an escape that is no code point. */
export function stringLiteral(token: string): string | undefined {
  const { raw, body } = unquoted(token);
  if (raw) return body;
  let sound = true;
  const value = body.replace(escapes, (_all, hex?: string, four?: string, eight?: string, octal?: string, one = "") => {
    if (octal !== undefined) return String.fromCodePoint(Number.parseInt(octal, 8));
    const digits = hex ?? four ?? eight;
    if (digits === undefined) return simpleEscapes[one] ?? one;
    const point = Number.parseInt(digits, 16);
    if (point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) {
      sound = false;
      return "";
    }
    return String.fromCodePoint(point);
  });
  return sound ? value : undefined;
}

/** The bytes that a bytes token stands for. Here `\x` and octal escapes are bytes, and `\u` is not allowed. */
export function bytesLiteral(token: string): Uint8Array | undefined {
  const { raw, body } = unquoted(token);
  if (raw) return new Uint8Array(Buffer.from(body));
  const parts: Buffer[] = [];
  let done = 0;
  for (const found of body.matchAll(escapes)) {
    const [all, hex, four, eight, octal, one = ""] = found;
    if (four !== undefined || eight !== undefined) return undefined;
    parts.push(Buffer.from(body.slice(done, found.index)));
    done = found.index + all.length;
    if (hex !== undefined) parts.push(Buffer.from([Number.parseInt(hex, 16)]));
    else if (octal !== undefined) parts.push(Buffer.from([Number.parseInt(octal, 8)]));
    else parts.push(Buffer.from(simpleEscapes[one] ?? one));
  }
  parts.push(Buffer.from(body.slice(done)));
  return new Uint8Array(Buffer.concat(parts));
}
