import { EvaluationError } from "../evaluate/evaluation-error.ts";
import { type CelValue, none, some } from "../values/cel-value.ts";
import { listOf } from "../values/collections.ts";
import { Uint } from "../values/uint.ts";
import { any, list, optional } from "./narrow.ts";
import { type Overload, overload } from "./overload.ts";

/** True for what a value of its type is when nobody sets it. */
function isZero(value: CelValue): boolean {
  if (value === null || value === false || value === 0n || value === 0 || value === "") return true;
  if (value instanceof Uint) return value.value === 0n;
  if (value instanceof Uint8Array) return value.length === 0;
  if (typeof value !== "object") return false;
  switch (value.kind) {
    case "list":
    case "map":
      return value.size === 0;
    case "duration":
    case "timestamp":
      return value.nanos === 0n;
    case "optional":
      return value.value === undefined;
    case "object":
      return [...value.entries()].length === 0;
    default:
      return false;
  }
}

/** Values that may be missing: `optional.of(x)`, `x.?y.orValue(0)`. */
export const optionals: readonly Overload[] = [
  overload("optional_of", "optional.of(V): optional(V)", ([value]) => some(any(value))),
  overload("optional_none", "optional.none(): optional(V)", () => none),
  overload("optional_ofNonZeroValue", "optional.ofNonZeroValue(V): optional(V)", ([value]) =>
    isZero(any(value)) ? none : some(any(value)),
  ),
  overload("optional_value", "optional(V).value(): V", ([of]) => {
    const { value } = optional(of);
    if (value === undefined) throw new EvaluationError("optional.none() dereference");
    return value;
  }),
  overload("optional_hasValue", "optional(V).hasValue(): bool", ([of]) => optional(of).value !== undefined),
  overload("optional_or_optional", "optional(V).or(optional(V)): optional(V)", ([of, other]) =>
    optional(of).value === undefined ? any(other) : any(of),
  ),
  overload("optional_orValue_value", "optional(V).orValue(V): V", ([of, other]) => optional(of).value ?? any(other)),
  overload("optional_unwrap", "optional.unwrap(list(optional(V))): list(V)", ([of]) => unwrapped(of)),
  overload("optional_unwrapOpt", "list(optional(V)).unwrapOpt(): list(V)", ([of]) => unwrapped(of)),
];

function unwrapped(of: CelValue | undefined): CelValue {
  const values: CelValue[] = [];
  for (const one of list(of).values()) {
    const { value } = optional(one);
    if (value !== undefined) values.push(value);
  }
  return listOf(values);
}
