import type { Overload } from "../library/overload.ts";
import { pointsIn } from "../syntax/lexer.ts";
import { type CelValue, isList, isMap, isObject } from "../values/cel-value.ts";
import { mapOfObject } from "../values/equality.ts";
import { visit } from "./work.ts";

/** What CEL counts for walking over one code point or byte, and for one character of a pattern. */
export const traversal = 0.1;
export const patternTraversal = 0.25;

type Values = readonly CelValue[];
type CallCost = (values: Values) => number;

/** What `size` gives, 1 for what has no size. */
export function actualSize(value: CelValue | undefined): number {
  if (typeof value === "string") return pointsIn(value);
  if (typeof value !== "object" || value === null) return 1;
  if (value instanceof Uint8Array) return value.length;
  return "size" in value && typeof value.size === "number" ? value.size : 1;
}

const walk = (value: CelValue | undefined, times = 1): number => Math.ceil(actualSize(value) * times * traversal);
const matchCost = (subject: CelValue | undefined, pattern: CelValue | undefined): number =>
  Math.ceil((1 + actualSize(subject)) * traversal) * Math.ceil(actualSize(pattern) * patternTraversal);
const match: CallCost = ([subject, pattern]) => matchCost(subject, pattern);
const shorter: CallCost = ([a, b]) => Math.ceil(Math.min(actualSize(a), actualSize(b)) * traversal);
const one: CallCost = () => 1;
const walkFirst: CallCost = ([first]) => walk(first);
const walkFirstTwice: CallCost = ([first]) => walk(first, 2);

/** Walking over all that a value holds: a unit for each scalar, a tenth for each byte of text. */
function traverse(value: CelValue | undefined): number {
  visit();
  if (value === undefined) return 1;
  if (typeof value === "string") return Math.floor(Buffer.byteLength(value) * traversal);
  if (value instanceof Uint8Array) return Math.floor(value.length * traversal);
  if (isList(value)) {
    let cost = 0;
    for (const one of value.values()) cost += traverse(one);
    return cost;
  }
  const map = isObject(value) ? mapOfObject(value) : value;
  if (!isMap(map)) return 1;
  let cost = 0;
  for (const key of map.keys()) cost += traverse(key) + traverse(map.get(key));
  return cost;
}

const traverseFirst: CallCost = ([first]) => traverse(first);

const withinCidr =
  (parses: boolean, masks: boolean): CallCost =>
  ([cidr, other]) => {
    const size = actualSize(cidr);
    return (
      Math.ceil((size + size) * traversal) +
      (masks ? Math.ceil(size * traversal) + 1 : 0) +
      (parses ? Math.ceil(actualSize(other) * traversal) : 0)
    );
  };

/** By overload. */
const byId: ReadonlyMap<string, CallCost> = new Map<string, CallCost>([
  ["starts_with_string", walkFirst],
  ["ends_with_string", walkFirst],
  ["string_to_bytes", walkFirst],
  ["bytes_to_string", walkFirst],
  ["in_list", ([, list]) => actualSize(list)],
  ["equals", shorter],
  ["not_equals", shorter],
  ...["less", "less_equals", "greater", "greater_equals"].flatMap((word): [string, CallCost][] => [
    [`${word}_string`, shorter],
    [`${word}_bytes`, shorter],
  ]),
  ["add_string", ([a, b]) => Math.ceil((actualSize(a) + actualSize(b)) * traversal)],
  ["add_bytes", ([a, b]) => Math.ceil((actualSize(a) + actualSize(b)) * traversal)],
  ["matches", match],
  ["matches_string", match],
  ["contains_string", ([a, b]) => walk(a) * walk(b)],
  ["cidr_ip", one],
  ["cidr_contains_ip_ip", withinCidr(false, false)],
  ["cidr_contains_ip_string", withinCidr(true, false)],
  ["cidr_contains_cidr", withinCidr(false, true)],
  ["cidr_contains_cidr_string", withinCidr(true, true)],
]);

/** By function, for Kubernetes' libraries. */
const byName: ReadonlyMap<string, CallCost> = new Map<string, CallCost>([
  ["check", () => 350_000],
  ...["isSorted", "sum", "max", "min", "indexOf", "lastIndexOf"].map((name): [string, CallCost] => [
    name,
    traverseFirst,
  ]),
  ...["url", "lowerAscii", "upperAscii", "substring", "trim", "ip", "cidr", "isIP", "isCIDR", "isURL"].map(
    (name): [string, CallCost] => [name, walkFirst],
  ),
  ...["quantity", "isQuantity", "semver", "isSemver", "jsonpatch.escapeKey"].map((name): [string, CallCost] => [
    name,
    walkFirst,
  ]),
  ["replace", walkFirstTwice],
  ["split", walkFirstTwice],
  ["ip.isCanonical", walkFirstTwice],
  ["validate", ([format, subject]) => matchCost(subject, format)],
  ["find", match],
  ["findAll", match],
  ["sets.contains", ([a, b]) => actualSize(a) * actualSize(b) + 1],
  ["sets.intersects", ([a, b]) => actualSize(a) * actualSize(b) + 1],
  ["sets.equivalent", ([a, b]) => actualSize(a) * actualSize(b) * 2 + 1],
  ["format", walkFirst],
]);

/**
 * What a call costs. `undefined` where it can be said only from the result and there is none yet. What is not in these
 * tables costs 1.
 */
export function costOfCall(overload: Overload, values: Values, result: CelValue | undefined): number | undefined {
  if (overload.name === "join") return result === undefined ? undefined : walk(result, 2);
  return (byId.get(overload.id) ?? byName.get(overload.name) ?? one)(values);
}
