import type { Issue } from "./issue.ts";
import { keywords, symbols, type Token } from "./token.ts";

const blank = /[\t\n\f\r ]+|\/\/[^\n]*/y;
const word = /[A-Za-z_][A-Za-z0-9_]*/y;
const escapedWord = /`[A-Za-z0-9_.\-/ ]+`/y;
const float = /(?:\d+\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|\.\d+(?:[eE][+-]?\d+)?)/y;
const integer = /(?:0x[0-9a-fA-F]+|\d+)[uU]?/y;
const escapeSequence = String.raw`\\(?:[abfnrtv"'\\?${"`"}]|[xX][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-3][0-7]{2})`;
const text = new RegExp(
  [
    `[bB]?[rR]"""[^]*?"""`,
    `[bB]?[rR]'''[^]*?'''`,
    `[bB]?"""(?:${escapeSequence}|[^\\\\])*?"""`,
    `[bB]?'''(?:${escapeSequence}|[^\\\\])*?'''`,
    `[bB]?[rR]"[^"\\n\\r]*"`,
    `[bB]?[rR]'[^'\\n\\r]*'`,
    `[bB]?"(?:${escapeSequence}|[^\\\\"\\n\\r])*"`,
    `[bB]?'(?:${escapeSequence}|[^\\\\'\\n\\r])*'`,
  ].join("|"),
  "y",
);

/** Cuts a source into tokens. What is none is reported and left out. */
export function tokensOf(source: string): { readonly tokens: readonly Token[]; readonly issues: readonly Issue[] } {
  const tokens: Token[] = [];
  const issues: Issue[] = [];
  let index = 0;
  let point = 0;
  const take = (length: number): { text: string; at: number } => {
    const taken = { text: source.slice(index, index + length), at: point };
    index += length;
    point += pointsIn(taken.text);
    return taken;
  };
  while (index < source.length) {
    const skipped = lengthOf(blank, source, index);
    if (skipped > 0) {
      take(skipped);
      continue;
    }
    const found = next(source, index);
    if (found !== undefined) {
      tokens.push({ kind: found.kind, ...take(found.length) });
      continue;
    }
    const bad = take(wrongLength(source, index));
    issues.push({ at: bad.at, message: `Syntax error: token recognition error at: '${shown(bad.text)}'` });
  }
  tokens.push({ kind: "<EOF>", text: "<EOF>", at: point });
  return { tokens, issues };
}

function next(source: string, index: number): { readonly kind: Token["kind"]; readonly length: number } | undefined {
  const quoted = lengthOf(text, source, index);
  if (quoted > 0)
    return { kind: /^[rR]?[bB]/.test(source.slice(index, index + 2)) ? "BYTES" : "STRING", length: quoted };
  const letters = lengthOf(word, source, index);
  if (letters > 0) {
    return { kind: keywords.get(source.slice(index, index + letters)) ?? "IDENTIFIER", length: letters };
  }
  const real = lengthOf(float, source, index);
  if (real > 0) return { kind: "NUM_FLOAT", length: real };
  const whole = lengthOf(integer, source, index);
  if (whole > 0)
    return { kind: /[uU]$/.test(source.slice(index, index + whole)) ? "NUM_UINT" : "NUM_INT", length: whole };
  const escaped = lengthOf(escapedWord, source, index);
  if (escaped > 0) return { kind: "ESC_IDENTIFIER", length: escaped };
  const symbol = symbols.find((one) => source.startsWith(one, index));
  return symbol === undefined ? undefined : { kind: symbol, length: symbol.length };
}

function lengthOf(pattern: RegExp, source: string, index: number): number {
  pattern.lastIndex = index;
  return pattern.exec(source)?.[0].length ?? 0;
}

/** A quote that is never closed spoils its line; anything else spoils itself. */
function wrongLength(source: string, index: number): number {
  const first = source.codePointAt(index) ?? 0;
  if (first === 0x22 || first === 0x27) {
    const line = /[^\n\r]*/y;
    line.lastIndex = index;
    return Math.max(1, line.exec(source)?.[0].length ?? 1);
  }
  return first > 0xffff ? 2 : 1;
}

const shown = (bad: string): string => bad.replaceAll("\n", "\\n").replaceAll("\r", "\\r").replaceAll("\t", "\\t");

/** The number of code points in a text. */
export function pointsIn(value: string): number {
  let count = value.length;
  for (let index = 0; index < value.length - 1; index++) {
    const unit = value.charCodeAt(index);
    if (unit < 0xd800 || unit > 0xdbff) continue;
    const low = value.charCodeAt(index + 1);
    if (low < 0xdc00 || low > 0xdfff) continue;
    count--;
    index++;
  }
  return count;
}
