import { EvaluationError } from "../../evaluate/evaluation-error.ts";
import { type CelList, type Duration, durationOf, type Timestamp, timestampOf } from "../../values/cel-value.ts";
import { GrowingList, JoinedList, listOf } from "../../values/collections.ts";
import { contains, listKey } from "../../values/equality.ts";
import { earliestNanos, latestNanos } from "../../values/times.ts";
import { maxInt, maxUint, minInt, Uint } from "../../values/uint.ts";
import { bytes, double, duration, int, list, text, timestamp, uint } from "../narrow.ts";
import { type Overload, overload } from "../overload.ts";

export function checkedInt(value: bigint): bigint {
  if (value < minInt || value > maxInt) throw new EvaluationError("integer overflow");
  return value;
}

export function checkedUint(value: bigint): Uint {
  if (value < 0n || value > maxUint) throw new EvaluationError("unsigned integer overflow");
  return new Uint(value);
}

function checkedDuration(nanos: bigint): Duration {
  if (nanos < minInt || nanos > maxInt) throw new EvaluationError("duration overflow");
  return durationOf(nanos);
}

function checkedTimestamp(nanos: bigint): Timestamp {
  if (nanos < earliestNanos || nanos > latestNanos) throw new EvaluationError("timestamp overflow");
  return timestampOf(nanos);
}

function divided(a: bigint, b: bigint): bigint {
  if (b === 0n) throw new EvaluationError("division by zero");
  return a / b;
}

function remainder(a: bigint, b: bigint): bigint {
  if (b === 0n) throw new EvaluationError("modulus by zero");
  return a % b;
}

/** Lists one after the other. What a schema calls a set or a map is joined as one. */
function joined(a: CelList, b: CelList): CelList {
  if (a instanceof GrowingList && a.isGrowing) {
    a.add(b.values());
    return a;
  }
  const { merge } = a;
  if (merge === undefined) return a.size === 0 ? b : b.size === 0 ? a : new JoinedList(a, b);
  if (merge.kind === "set") {
    const added = [...b.values()].filter((one) => !contains(a, one));
    return withMerge(listOf([...a.values(), ...added]), merge);
  }
  const keyed = new Map([...a.values()].map((one) => [listKey(one, merge.keys), one]));
  for (const one of b.values()) keyed.set(listKey(one, merge.keys), one);
  return withMerge(listOf([...keyed.values()]), merge);
}

const withMerge = (made: CelList, merge: CelList["merge"]): CelList => ({
  kind: "list",
  size: made.size,
  at: (index) => made.at(index),
  values: () => made.values(),
  merge,
});

/** `+`, `-`, `*`, `/`, `%` and the sign. */
export const arithmetic: readonly Overload[] = [
  overload("add_int64", "_+_(int, int): int", ([a, b]) => checkedInt(int(a) + int(b))),
  overload("add_uint64", "_+_(uint, uint): uint", ([a, b]) => checkedUint(uint(a) + uint(b))),
  overload("add_double", "_+_(double, double): double", ([a, b]) => double(a) + double(b)),
  overload("add_string", "_+_(string, string): string", ([a, b]) => text(a) + text(b)),
  overload("add_bytes", "_+_(bytes, bytes): bytes", ([a, b]) => new Uint8Array([...bytes(a), ...bytes(b)])),
  overload("add_list", "_+_(list(A), list(A)): list(A)", ([a, b]) => joined(list(a), list(b))),
  overload("add_duration_duration", "_+_(duration, duration): duration", ([a, b]) =>
    checkedDuration(duration(a).nanos + duration(b).nanos),
  ),
  overload("add_timestamp_duration", "_+_(timestamp, duration): timestamp", ([a, b]) =>
    checkedTimestamp(timestamp(a).nanos + duration(b).nanos),
  ),
  overload("add_duration_timestamp", "_+_(duration, timestamp): timestamp", ([a, b]) =>
    checkedTimestamp(duration(a).nanos + timestamp(b).nanos),
  ),
  overload("subtract_int64", "_-_(int, int): int", ([a, b]) => checkedInt(int(a) - int(b))),
  overload("subtract_uint64", "_-_(uint, uint): uint", ([a, b]) => checkedUint(uint(a) - uint(b))),
  overload("subtract_double", "_-_(double, double): double", ([a, b]) => double(a) - double(b)),
  overload("subtract_duration_duration", "_-_(duration, duration): duration", ([a, b]) =>
    checkedDuration(duration(a).nanos - duration(b).nanos),
  ),
  overload("subtract_timestamp_timestamp", "_-_(timestamp, timestamp): duration", ([a, b]) =>
    checkedDuration(timestamp(a).nanos - timestamp(b).nanos),
  ),
  overload("subtract_timestamp_duration", "_-_(timestamp, duration): timestamp", ([a, b]) =>
    checkedTimestamp(timestamp(a).nanos - duration(b).nanos),
  ),
  overload("multiply_int64", "_*_(int, int): int", ([a, b]) => checkedInt(int(a) * int(b))),
  overload("multiply_uint64", "_*_(uint, uint): uint", ([a, b]) => checkedUint(uint(a) * uint(b))),
  overload("multiply_double", "_*_(double, double): double", ([a, b]) => double(a) * double(b)),
  overload("divide_int64", "_/_(int, int): int", ([a, b]) => checkedInt(divided(int(a), int(b)))),
  overload("divide_uint64", "_/_(uint, uint): uint", ([a, b]) => new Uint(divided(uint(a), uint(b)))),
  overload("divide_double", "_/_(double, double): double", ([a, b]) => double(a) / double(b)),
  overload("modulo_int64", "_%_(int, int): int", ([a, b]) => {
    if (int(a) === minInt && int(b) === -1n) throw new EvaluationError("integer overflow");
    return remainder(int(a), int(b));
  }),
  overload("modulo_uint64", "_%_(uint, uint): uint", ([a, b]) => new Uint(remainder(uint(a), uint(b)))),
  overload("negate_int64", "-_(int): int", ([a]) => checkedInt(-int(a))),
  overload("negate_double", "-_(double): double", ([a]) => -double(a)),
];
