import { EvaluationError } from "../evaluate/evaluation-error.ts";
import type { CelValue } from "../values/cel-value.ts";
import { listOf } from "../values/collections.ts";
import { bytes, int, text } from "./narrow.ts";
import { type Overload, overload } from "./overload.ts";
import { regex } from "./regex.ts";

function decoded(value: string): Uint8Array {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(value)) throw new EvaluationError("illegal base64 data");
  return new Uint8Array(Buffer.from(value, "base64"));
}

function findAll(value: string, pattern: string, limit: number): CelValue {
  const found: string[] = [];
  const matcher = regex(pattern).matcher(value);
  while ((limit < 0 || found.length < limit) && matcher.find()) found.push(matcher.group() ?? "");
  return listOf(found);
}

function find(value: string, pattern: string): string {
  const matcher = regex(pattern).matcher(value);
  return matcher.find() ? (matcher.group() ?? "") : "";
}

/** `find`, `findAll`, base64, and escaping for JSON pointers. */
export const encodingFunctions: readonly Overload[] = [
  overload("string_find_string", "string.find(string): string", ([a, b]) => find(text(a), text(b))),
  overload("string_find_all_string", "string.findAll(string): list(string)", ([a, b]) => findAll(text(a), text(b), -1)),
  overload("string_find_all_string_int", "string.findAll(string, int): list(string)", ([a, b, c]) =>
    findAll(text(a), text(b), Number(int(c))),
  ),
  overload("base64_encode_bytes", "base64.encode(bytes): string", ([a]) => Buffer.from(bytes(a)).toString("base64")),
  overload("base64_decode_string", "base64.decode(string): bytes", ([a]) => decoded(text(a))),
  overload("string_jsonpatch_escapeKey_string", "jsonpatch.escapeKey(string): string", ([a]) =>
    text(a).replaceAll("~", "~0").replaceAll("/", "~1"),
  ),
];
