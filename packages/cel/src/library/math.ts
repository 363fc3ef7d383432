import { EvaluationError } from "../evaluate/evaluation-error.ts";
import type { CelValue } from "../values/cel-value.ts";
import { compareNumbers } from "../values/equality.ts";
import { Uint } from "../values/uint.ts";
import { any, double, int, list, uint } from "./narrow.ts";
import { type Overload, overload } from "./overload.ts";
import { checkedInt } from "./standard/arithmetic.ts";

function extreme(values: readonly CelValue[], sign: 1 | -1, name: string): CelValue {
  let best: CelValue | undefined;
  for (const value of values) {
    const order = best === undefined ? 1 : (compareNumbers(value, best) ?? 0) * sign;
    if (order > 0) best = value;
  }
  if (best === undefined) throw new EvaluationError(`math.@${name}(list) argument must not be empty`);
  return best;
}

const numbers = ["int", "uint", "double"] as const;

/** `greatest` and `least`, of one to four numbers of any types and of lists. */
function extremes(name: "greatest" | "least", sign: 1 | -1): Overload[] {
  const short = name === "greatest" ? "max" : "min";
  const made: Overload[] = [];
  for (const type of numbers) {
    made.push(
      overload(`math_@${short}_${type}`, `math.${name}(${type}): ${type}`, ([a]) => any(a)),
      overload(`math_@${short}_list_${type}`, `math.${name}(list(${type})): ${type}`, ([a]) =>
        extreme([...list(a).values()], sign, short),
      ),
    );
    for (const other of numbers) {
      made.push(
        overload(
          `math_@${short}_${type}_${other}`,
          `math.${name}(${type}, ${other}): ${type === other ? type : "dyn"}`,
          (values) => extreme(values, sign, short),
        ),
      );
    }
  }
  for (let count = 3; count <= 8; count++) {
    const parameters = Array.from({ length: count }, () => "dyn").join(", ");
    made.push(
      overload(`math_@${short}_${count}`, `math.${name}(${parameters}): dyn`, (values) => {
        if (values.some((value) => compareNumbers(value, 0n) === undefined)) {
          throw new EvaluationError("no such overload");
        }
        return extreme(values, sign, short);
      }),
    );
  }
  return made;
}

function rounded(value: number): number {
  return value < 0 ? -Math.floor(-value + 0.5) : Math.floor(value + 0.5);
}

function shift(value: bigint, by: bigint, left: boolean): bigint {
  if (by < 0n) throw new EvaluationError(`math.bitShift${left ? "Left" : "Right"}() negative offset: ${by}`);
  if (by >= 64n) return 0n;
  return left ? value << by : BigInt.asUintN(64, value) >> by;
}

const signOf = (value: bigint): bigint => (value > 0n ? 1n : value < 0n ? -1n : 0n);

const bits: readonly (readonly [string, (a: bigint, b: bigint) => bigint])[] = [
  ["bitAnd", (a, b) => a & b],
  ["bitOr", (a, b) => a | b],
  ["bitXor", (a, b) => a ^ b],
];

/** The math extension. */
export const mathFunctions: readonly Overload[] = [
  ...extremes("greatest", 1),
  ...extremes("least", -1),
  overload("math_ceil_double", "math.ceil(double): double", ([a]) => Math.ceil(double(a))),
  overload("math_floor_double", "math.floor(double): double", ([a]) => Math.floor(double(a))),
  overload("math_round_double", "math.round(double): double", ([a]) => rounded(double(a))),
  overload("math_trunc_double", "math.trunc(double): double", ([a]) => Math.trunc(double(a))),
  overload("math_sqrt_double", "math.sqrt(double): double", ([a]) => Math.sqrt(double(a))),
  overload("math_sqrt_int", "math.sqrt(int): double", ([a]) => Math.sqrt(Number(int(a)))),
  overload("math_sqrt_uint", "math.sqrt(uint): double", ([a]) => Math.sqrt(Number(uint(a)))),
  overload("math_isInf_double", "math.isInf(double): bool", ([a]) => Math.abs(double(a)) === Number.POSITIVE_INFINITY),
  overload("math_isNaN_double", "math.isNaN(double): bool", ([a]) => Number.isNaN(double(a))),
  overload("math_isFinite_double", "math.isFinite(double): bool", ([a]) => Number.isFinite(double(a))),
  overload("math_abs_double", "math.abs(double): double", ([a]) => Math.abs(double(a))),
  overload("math_abs_int", "math.abs(int): int", ([a]) => checkedInt(int(a) < 0n ? -int(a) : int(a))),
  overload("math_abs_uint", "math.abs(uint): uint", ([a]) => any(a)),
  overload("math_sign_double", "math.sign(double): double", ([a]) => Math.sign(double(a))),
  overload("math_sign_int", "math.sign(int): int", ([a]) => signOf(int(a))),
  overload("math_sign_uint", "math.sign(uint): uint", ([a]) => new Uint(signOf(uint(a)))),
  ...bits.flatMap(([name, run]) => [
    overload(`math_${name}_int_int`, `math.${name}(int, int): int`, ([a, b]) => run(int(a), int(b))),
    overload(`math_${name}_uint_uint`, `math.${name}(uint, uint): uint`, ([a, b]) => new Uint(run(uint(a), uint(b)))),
  ]),
  overload("math_bitNot_int_int", "math.bitNot(int): int", ([a]) => ~int(a)),
  overload("math_bitNot_uint_uint", "math.bitNot(uint): uint", ([a]) => new Uint(BigInt.asUintN(64, ~uint(a)))),
  overload("math_bitShiftLeft_int_int", "math.bitShiftLeft(int, int): int", ([a, b]) =>
    BigInt.asIntN(64, shift(int(a), int(b), true)),
  ),
  overload(
    "math_bitShiftLeft_uint_int",
    "math.bitShiftLeft(uint, int): uint",
    ([a, b]) => new Uint(BigInt.asUintN(64, shift(uint(a), int(b), true))),
  ),
  overload("math_bitShiftRight_int_int", "math.bitShiftRight(int, int): int", ([a, b]) =>
    BigInt.asIntN(64, shift(int(a), int(b), false)),
  ),
  overload(
    "math_bitShiftRight_uint_int",
    "math.bitShiftRight(uint, int): uint",
    ([a, b]) => new Uint(shift(uint(a), int(b), false)),
  ),
];
