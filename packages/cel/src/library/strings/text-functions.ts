import { EvaluationError } from "../../evaluate/evaluation-error.ts";
import { makeText } from "../../evaluate/work.ts";
import type { CelValue } from "../../values/cel-value.ts";
import { listOf } from "../../values/collections.ts";
import { int, list, text } from "../narrow.ts";
import { type Overload, overload } from "../overload.ts";

/** Positions are code points. Text without surrogates, which is nearly all, needs no copy. */
const isPlain = (value: string): boolean => !/[\ud800-\udfff]/.test(value);

function slice(value: string, from: number, to: number): string {
  return isPlain(value) ? value.slice(from, to) : [...value].slice(from, to).join("");
}

const lengthOf = (value: string): number => (isPlain(value) ? value.length : [...value].length);

function charAt(value: string, index: bigint): string {
  const length = lengthOf(value);
  if (index < 0n || index > length) throw new EvaluationError(`index out of range: ${index}`);
  return slice(value, Number(index), Number(index) + 1);
}

function indexOf(value: string, wanted: string, from: bigint): bigint {
  if (wanted === "") return from;
  const length = lengthOf(value);
  if (from < 0n || from > length) throw new EvaluationError(`index out of range: ${from}`);
  if (isPlain(value)) return BigInt(value.indexOf(wanted, Number(from)));
  const begin = slice(value, 0, Number(from)).length;
  const found = value.indexOf(wanted, begin);
  return found < 0 ? -1n : BigInt(lengthOf(value.slice(0, found)));
}

function lastIndexOf(value: string, wanted: string, from: bigint | undefined): bigint {
  const length = lengthOf(value);
  const start = from ?? BigInt(length);
  if (wanted === "") return start;
  if (start < 0n || start > length) throw new EvaluationError(`index out of range: ${start}`);
  const found = value.lastIndexOf(wanted, slice(value, 0, Number(start)).length);
  return found < 0 ? -1n : BigInt(lengthOf(value.slice(0, found)));
}

function substring(value: string, from: bigint, to: bigint | undefined): string {
  const length = BigInt(lengthOf(value));
  const end = to ?? length;
  if (to !== undefined && from > end) {
    throw new EvaluationError(`invalid substring range. start: ${from}, end: ${end}`);
  }
  if (from < 0n || from > length) throw new EvaluationError(`index out of range: ${from}`);
  if (end < 0n || end > length) throw new EvaluationError(`index out of range: ${end}`);
  return slice(value, Number(from), Number(end));
}

/** At most `limit` replacements; all where it is negative. An empty text is found between all code points. */
function replace(value: string, wanted: string, by: string, limit: bigint): string {
  const parts = wanted === "" ? ["", ...value, ""] : value.split(wanted);
  const found = parts.length - 1;
  const replaced = limit < 0n || limit > BigInt(found) ? found : Number(limit);
  makeText(value.length + replaced * by.length);
  return parts.map((part, index) => (index === found ? part : part + (index < replaced ? by : wanted))).join("");
}

function split(value: string, separator: string, limit: bigint): CelValue {
  if (limit === 0n) return listOf([]);
  const parts = separator === "" ? [...value] : value.split(separator);
  if (limit < 0n || parts.length <= limit) return listOf(parts);
  const kept = parts.slice(0, Number(limit) - 1);
  return listOf([...kept, parts.slice(Number(limit) - 1).join(separator)]);
}

const lower = (value: string): string => value.replace(/[A-Z]+/g, (found) => found.toLowerCase());
const upper = (value: string): string => value.replace(/[a-z]+/g, (found) => found.toUpperCase());

/** Unicode's white space, as Go knows it. */
const blank = "[\\t-\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]+";
const edges = new RegExp(`^${blank}|${blank}$`, "g");

function joined(of: CelValue | undefined, separator: string): string {
  const parts: string[] = [];
  let length = 0;
  for (const one of list(of).values()) {
    const part = text(one);
    length += part.length + separator.length;
    makeText(length);
    parts.push(part);
  }
  return parts.join(separator);
}

const escapes: ReadonlyMap<string, string> = new Map([
  ["\u0007", "\\a"],
  ["\b", "\\b"],
  ["\f", "\\f"],
  ["\n", "\\n"],
  ["\r", "\\r"],
  ["\t", "\\t"],
  ["\v", "\\v"],
  ["\\", "\\\\"],
  ['"', '\\"'],
]);

/** A text as a literal. */
export const quote = (value: string): string =>
  `"${value.toWellFormed().replace(/[\p{Cc}\\"]/gu, (one) => escapes.get(one) ?? one)}"`;

/** What the strings extension adds to text. */
export const textFunctions: readonly Overload[] = [
  overload("string_char_at_int", "string.charAt(int): string", ([a, b]) => charAt(text(a), int(b))),
  overload("string_index_of_string", "string.indexOf(string): int", ([a, b]) => indexOf(text(a), text(b), 0n)),
  overload("string_index_of_string_int", "string.indexOf(string, int): int", ([a, b, c]) =>
    indexOf(text(a), text(b), int(c)),
  ),
  overload("string_last_index_of_string", "string.lastIndexOf(string): int", ([a, b]) =>
    lastIndexOf(text(a), text(b), undefined),
  ),
  overload("string_last_index_of_string_int", "string.lastIndexOf(string, int): int", ([a, b, c]) =>
    lastIndexOf(text(a), text(b), int(c)),
  ),
  overload("string_lower_ascii", "string.lowerAscii(): string", ([a]) => lower(text(a))),
  overload("string_upper_ascii", "string.upperAscii(): string", ([a]) => upper(text(a))),
  overload("string_replace_string_string", "string.replace(string, string): string", ([a, b, c]) =>
    replace(text(a), text(b), text(c), -1n),
  ),
  overload("string_replace_string_string_int", "string.replace(string, string, int): string", ([a, b, c, d]) =>
    replace(text(a), text(b), text(c), int(d)),
  ),
  overload("string_split_string", "string.split(string): list(string)", ([a, b]) => split(text(a), text(b), -1n)),
  overload("string_split_string_int", "string.split(string, int): list(string)", ([a, b, c]) =>
    split(text(a), text(b), int(c)),
  ),
  overload("string_substring_int", "string.substring(int): string", ([a, b]) => substring(text(a), int(b), undefined)),
  overload("string_substring_int_int", "string.substring(int, int): string", ([a, b, c]) =>
    substring(text(a), int(b), int(c)),
  ),
  overload("string_trim", "string.trim(): string", ([a]) => text(a).replace(edges, "")),
  overload("string_reverse", "string.reverse(): string", ([a]) => [...text(a)].reverse().join("")),
  overload("list_join", "list(string).join(): string", ([a]) => joined(a, "")),
  overload("list_join_string", "list(string).join(string): string", ([a, b]) => joined(a, text(b))),
  overload("strings_quote", "strings.quote(string): string", ([a]) => quote(text(a))),
];
