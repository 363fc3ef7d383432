import { EvaluationError } from "../../evaluate/evaluation-error.ts";
import { timestampOf } from "../../values/cel-value.ts";
import { durationText, floorDivide, parseDuration, parseTimestamp, timestampText } from "../../values/times.ts";
import { maxInt, minInt, Uint } from "../../values/uint.ts";
import { bool, bytes, double, duration, int, text, timestamp, uint } from "../narrow.ts";
import { type Overload, overload } from "../overload.ts";
import { doubleText } from "../shown.ts";
import { checkedInt, checkedUint } from "./arithmetic.ts";

function wholeOf(value: number, fail: string): bigint {
  if (!Number.isFinite(value)) throw new EvaluationError(fail);
  return BigInt(Math.trunc(value));
}

function intOfDouble(value: number): bigint {
  const whole = wholeOf(value, "integer overflow");
  if (whole <= minInt || whole >= maxInt) throw new EvaluationError("integer overflow");
  return whole;
}

function parsedInt(value: string): bigint {
  if (!/^[+-]?\d+$/.test(value)) throw new EvaluationError("type conversion error from 'string' to 'int'");
  return checkedInt(BigInt(value.replace(/^\+/, "")));
}

function parsedUint(value: string): Uint {
  if (!/^\d+$/.test(value)) throw new EvaluationError("type conversion error from 'string' to 'uint'");
  return checkedUint(BigInt(value));
}

const specialDoubles: ReadonlyMap<string, number> = new Map([
  ["nan", Number.NaN],
  ["inf", Number.POSITIVE_INFINITY],
  ["+inf", Number.POSITIVE_INFINITY],
  ["-inf", Number.NEGATIVE_INFINITY],
  ["infinity", Number.POSITIVE_INFINITY],
  ["+infinity", Number.POSITIVE_INFINITY],
  ["-infinity", Number.NEGATIVE_INFINITY],
]);

function parsedDouble(value: string): number {
  const special = specialDoubles.get(value.toLowerCase());
  if (special !== undefined) return special;
  if (!/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(value)) {
    throw new EvaluationError("type conversion error from 'string' to 'double'");
  }
  return Number(value);
}

const truths: ReadonlyMap<string, boolean> = new Map([
  ...["1", "t", "T", "TRUE", "true", "True"].map((one): [string, boolean] => [one, true]),
  ...["0", "f", "F", "FALSE", "false", "False"].map((one): [string, boolean] => [one, false]),
]);

function parsedBool(value: string): boolean {
  const known = truths.get(value);
  if (known === undefined) throw new EvaluationError("type conversion error from 'string' to 'bool'");
  return known;
}

function textOfBytes(value: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(value);
  } catch {
    throw new EvaluationError("invalid UTF-8 in bytes, cannot convert to string");
  }
}

function parsed<T>(value: T | undefined, to: string): T {
  if (value === undefined) throw new EvaluationError(`type conversion error from 'string' to '${to}'`);
  return value;
}

/** `int(x)`, `string(x)` and the others. */
export const conversions: readonly Overload[] = [
  overload("int64_to_int64", "int(int): int", ([a]) => int(a)),
  overload("uint64_to_int64", "int(uint): int", ([a]) => checkedInt(uint(a))),
  overload("double_to_int64", "int(double): int", ([a]) => intOfDouble(double(a))),
  overload("string_to_int64", "int(string): int", ([a]) => parsedInt(text(a))),
  overload("timestamp_to_int64", "int(timestamp): int", ([a]) => floorDivide(timestamp(a).nanos, 1_000_000_000n)),
  overload("duration_to_int64", "int(duration): int", ([a]) => duration(a).nanos),
  overload("uint64_to_uint64", "uint(uint): uint", ([a]) => new Uint(uint(a))),
  overload("int64_to_uint64", "uint(int): uint", ([a]) => checkedUint(int(a))),
  overload("double_to_uint64", "uint(double): uint", ([a]) => {
    if (double(a) >= 2 ** 64) throw new EvaluationError("unsigned integer overflow");
    return checkedUint(wholeOf(double(a), "unsigned integer overflow"));
  }),
  overload("string_to_uint64", "uint(string): uint", ([a]) => parsedUint(text(a))),
  overload("double_to_double", "double(double): double", ([a]) => double(a)),
  overload("int64_to_double", "double(int): double", ([a]) => Number(int(a))),
  overload("uint64_to_double", "double(uint): double", ([a]) => Number(uint(a))),
  overload("string_to_double", "double(string): double", ([a]) => parsedDouble(text(a))),
  overload("bool_to_bool", "bool(bool): bool", ([a]) => bool(a)),
  overload("string_to_bool", "bool(string): bool", ([a]) => parsedBool(text(a))),
  overload("string_to_string", "string(string): string", ([a]) => text(a)),
  overload("bool_to_string", "string(bool): string", ([a]) => String(bool(a))),
  overload("int64_to_string", "string(int): string", ([a]) => int(a).toString()),
  overload("uint64_to_string", "string(uint): string", ([a]) => uint(a).toString()),
  overload("double_to_string", "string(double): string", ([a]) => doubleText(double(a))),
  overload("bytes_to_string", "string(bytes): string", ([a]) => textOfBytes(bytes(a))),
  overload("timestamp_to_string", "string(timestamp): string", ([a]) => timestampText(timestamp(a))),
  overload("duration_to_string", "string(duration): string", ([a]) => durationText(duration(a))),
  overload("bytes_to_bytes", "bytes(bytes): bytes", ([a]) => bytes(a)),
  overload("string_to_bytes", "bytes(string): bytes", ([a]) => new Uint8Array(Buffer.from(text(a)))),
  overload("string_to_duration", "duration(string): duration", ([a]) =>
    parsed(parseDuration(text(a)), "google.protobuf.Duration"),
  ),
  overload("duration_to_duration", "duration(duration): duration", ([a]) => duration(a)),
  overload("string_to_timestamp", "timestamp(string): timestamp", ([a]) =>
    parsed(parseTimestamp(text(a)), "google.protobuf.Timestamp"),
  ),
  overload("int64_to_timestamp", "timestamp(int): timestamp", ([a]) => timestampOf(int(a) * 1_000_000_000n)),
  overload("timestamp_to_timestamp", "timestamp(timestamp): timestamp", ([a]) => timestamp(a)),
];
