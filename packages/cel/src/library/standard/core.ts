import { EvaluationError } from "../../evaluate/evaluation-error.ts";
import { itemOf, optionalItem } from "../../evaluate/select.ts";
import { pointsIn } from "../../syntax/lexer.ts";
import type { CelMap, CelValue } from "../../values/cel-value.ts";
import { ValueMap } from "../../values/collections.ts";
import { celEqual, contains } from "../../values/equality.ts";
import { typeOf } from "../../values/value-types.ts";
import { any, bool, bytes, list, map, text } from "../narrow.ts";
import { type Overload, overload } from "../overload.ts";
import { regex } from "../regex.ts";
import { shownKey } from "../shown.ts";

function inserted(into: CelMap, added: readonly (readonly [CelValue, CelValue])[]): CelMap {
  const result = into instanceof ValueMap ? into : new ValueMap();
  if (result !== into) for (const key of into.keys()) result.add(key, any(into.get(key)));
  for (const [key, value] of added) {
    if (!result.add(key, value)) throw new EvaluationError(`insert failed: key ${shownKey(key)} already exists`);
  }
  return result;
}

/** Equality, membership, sizes, indexes, and what macros are made of. */
export const core: readonly Overload[] = [
  overload("equals", "_==_(A, A): bool", ([a, b]) => celEqual(any(a), any(b))),
  overload("not_equals", "_!=_(A, A): bool", ([a, b]) => !celEqual(any(a), any(b))),
  overload("logical_not", "!_(bool): bool", ([a]) => !bool(a)),
  overload("logical_and", "_&&_(bool, bool): bool", ([a, b]) => bool(a) && bool(b)),
  overload("logical_or", "_||_(bool, bool): bool", ([a, b]) => bool(a) || bool(b)),
  overload("conditional", "_?_:_(bool, A, A): A", ([a, b, c]) => (bool(a) ? any(b) : any(c))),
  overload("not_strictly_false", "@not_strictly_false(bool): bool", ([a]) => a !== false),
  overload("in_list", "@in(A, list(A)): bool", ([a, b]) => contains(list(b), any(a))),
  overload("in_map", "@in(A, map(A, B)): bool", ([a, b]) => map(b).get(any(a)) !== undefined),
  overload("index_list", "_[_](list(A), int): A", ([a, b]) => itemOf(any(a), any(b))),
  overload("index_map", "_[_](map(A, B), A): B", ([a, b]) => itemOf(any(a), any(b))),
  overload("optional_list_index_int", "_[_](optional(list(V)), int): optional(V)", ([a, b]) =>
    optionalItem(any(a), any(b)),
  ),
  overload("optional_map_index_value", "_[_](optional(map(K, V)), K): optional(V)", ([a, b]) =>
    optionalItem(any(a), any(b)),
  ),
  overload("list_optindex_optional_int", "_[?_](list(V), int): optional(V)", ([a, b]) => optionalItem(any(a), any(b))),
  overload("optional_list_optindex_optional_int", "_[?_](optional(list(V)), int): optional(V)", ([a, b]) =>
    optionalItem(any(a), any(b)),
  ),
  overload("map_optindex_optional_value", "_[?_](map(K, V), K): optional(V)", ([a, b]) => optionalItem(any(a), any(b))),
  overload("optional_map_optindex_optional_value", "_[?_](optional(map(K, V)), K): optional(V)", ([a, b]) =>
    optionalItem(any(a), any(b)),
  ),
  overload("size_string", "size(string): int", ([a]) => BigInt(pointsIn(text(a)))),
  overload("string_size", "string.size(): int", ([a]) => BigInt(pointsIn(text(a)))),
  overload("size_bytes", "size(bytes): int", ([a]) => BigInt(bytes(a).length)),
  overload("bytes_size", "bytes.size(): int", ([a]) => BigInt(bytes(a).length)),
  overload("size_list", "size(list(A)): int", ([a]) => BigInt(list(a).size)),
  overload("list_size", "list(A).size(): int", ([a]) => BigInt(list(a).size)),
  overload("size_map", "size(map(A, B)): int", ([a]) => BigInt(map(a).size)),
  overload("map_size", "map(A, B).size(): int", ([a]) => BigInt(map(a).size)),
  overload("contains_string", "string.contains(string): bool", ([a, b]) => text(a).includes(text(b))),
  overload("starts_with_string", "string.startsWith(string): bool", ([a, b]) => text(a).startsWith(text(b))),
  overload("ends_with_string", "string.endsWith(string): bool", ([a, b]) => text(a).endsWith(text(b))),
  overload("matches", "matches(string, string): bool", ([a, b]) => regex(text(b)).matcher(text(a)).find()),
  overload("matches_string", "string.matches(string): bool", ([a, b]) => regex(text(b)).matcher(text(a)).find()),
  overload("type", "type(A): type(A)", ([a]) => ({ kind: "type", type: typeOf(any(a)) })),
  overload("to_dyn", "dyn(A): dyn", ([a]) => any(a)),
  overload("map_insert_value", "cel.@mapInsert(map(K, V), K, V): map(K, V)", ([a, b, c]) =>
    inserted(map(a), [[any(b), any(c)]]),
  ),
  overload("map_insert_map", "cel.@mapInsert(map(K, V), map(K, V)): map(K, V)", ([a, b]) => {
    const more = map(b);
    return inserted(
      map(a),
      [...more.keys()].map((key): readonly [CelValue, CelValue] => [key, any(more.get(key))]),
    );
  }),
];
