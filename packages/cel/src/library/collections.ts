import { EvaluationError } from "../evaluate/evaluation-error.ts";
import { type CelList, type CelValue, durationOf } from "../values/cel-value.ts";
import { celEqual, contains } from "../values/equality.ts";
import { Uint } from "../values/uint.ts";
import { any, list } from "./narrow.ts";
import { type Overload, overload } from "./overload.ts";
import { arithmetic } from "./standard/arithmetic.ts";
import { comparisons } from "./standard/compare.ts";

const ordered = ["int", "uint", "double", "bool", "duration", "timestamp", "string", "bytes"] as const;
const summed: readonly (readonly [string, CelValue])[] = [
  ["int", 0n],
  ["uint", new Uint(0n)],
  ["double", 0],
  ["duration", durationOf(0n)],
];

const context = { charge() {} };

function operatorOf(overloads: readonly Overload[], name: string, type: string): Overload["call"] {
  const found = overloads.find((one) => one.name === name && one.parameters.every(({ kind }) => kind === type));
  if (found === undefined) throw new RangeError(`${name} of ${type}`);
  return found.call;
}

function isSorted(of: CelList, less: Overload["call"]): boolean {
  for (let index = 1; index < of.size; index++) {
    if (less([of.at(index), of.at(index - 1)], context) === true) return false;
  }
  return true;
}

function extreme(of: CelList, name: string, better: Overload["call"]): CelValue {
  if (of.size === 0) throw new EvaluationError(`${name} called on empty list`);
  let best = of.at(0);
  for (const value of of.values()) if (better([value, best], context) === true) best = value;
  return best;
}

function firstIndex(of: CelList, wanted: CelValue): bigint {
  for (let index = 0; index < of.size; index++) if (celEqual(of.at(index), wanted)) return BigInt(index);
  return -1n;
}

function lastIndex(of: CelList, wanted: CelValue): bigint {
  for (let index = of.size - 1; index >= 0; index--) if (celEqual(of.at(index), wanted)) return BigInt(index);
  return -1n;
}

const within = (a: CelList, b: CelList): boolean => [...b.values()].every((one) => contains(a, one));

/** Kubernetes' functions on lists, and the sets extension. */
export const collectionFunctions: readonly Overload[] = [
  ...ordered.flatMap((type) => {
    const less = operatorOf(comparisons, "_<_", type);
    const more = operatorOf(comparisons, "_>_", type);
    return [
      overload(`list_${type}_is_sorted_bool`, `list(${type}).isSorted(): bool`, ([a]) => isSorted(list(a), less)),
      overload(`list_${type}_min_${type}`, `list(${type}).min(): ${type}`, ([a]) => extreme(list(a), "min", less)),
      overload(`list_${type}_max_${type}`, `list(${type}).max(): ${type}`, ([a]) => extreme(list(a), "max", more)),
    ];
  }),
  ...summed.map(([type, zero]) => {
    const add = operatorOf(arithmetic, "_+_", type);
    return overload(`list_${type}_sum_${type}`, `list(${type}).sum(): ${type}`, ([a]) => {
      let sum = zero;
      for (const value of list(a).values()) sum = add([sum, value], context);
      return sum;
    });
  }),
  overload("list_a_index_of_int", "list(A).indexOf(A): int", ([a, b]) => firstIndex(list(a), any(b))),
  overload("list_a_last_index_of_int", "list(A).lastIndexOf(A): int", ([a, b]) => lastIndex(list(a), any(b))),
  overload("list_sets_contains_list", "sets.contains(list(T), list(T)): bool", ([a, b]) => within(list(a), list(b))),
  overload("list_sets_equivalent_list", "sets.equivalent(list(T), list(T)): bool", ([a, b]) => {
    return within(list(a), list(b)) && within(list(b), list(a));
  }),
  overload("list_sets_intersects_list", "sets.intersects(list(T), list(T)): bool", ([a, b]) => {
    return [...list(b).values()].some((one) => contains(list(a), one));
  }),
];
