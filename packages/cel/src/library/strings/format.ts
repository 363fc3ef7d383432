import { EvaluationError } from "../../evaluate/evaluation-error.ts";
import { makeText, visit } from "../../evaluate/work.ts";
import {
  type CelValue,
  isDuration,
  isList,
  isMap,
  isObject,
  isTimestamp,
  isTypeValue,
} from "../../values/cel-value.ts";
import { mapOfObject } from "../../values/equality.ts";
import { durationText, timestampText } from "../../values/times.ts";
import { Uint } from "../../values/uint.ts";
import { typeName, typeOf } from "../../values/value-types.ts";
import { list, text } from "../narrow.ts";
import { type Overload, overload } from "../overload.ts";
import { doubleText } from "../shown.ts";
import { compareText } from "../standard/compare.ts";

const usualPrecision = 6;
const mostPrecision = 1000;

/** `"%s is %.2f".format([a, b])`. */
function formatted(pattern: string, values: readonly CelValue[]): string {
  let used = 0;
  let length = 0;
  const result = pattern.replace(/%(?:%|(?:\.(\d+))?([a-zA-Z])|(.?))/gsu, (all, precision?: string, verb?: string) => {
    if (all === "%%") return "%";
    if (verb === undefined)
      throw new EvaluationError("unexpected end of format string or unrecognized formatting clause");
    if (precision !== undefined && Number(precision) > mostPrecision) {
      throw new EvaluationError(`precision ${precision} exceeds the maximum of ${mostPrecision}`);
    }
    const value = values[used];
    if (value === undefined) throw new EvaluationError(`index ${used} out of range`);
    used++;
    const write = verbs[verb];
    if (write === undefined) {
      throw new EvaluationError(
        `could not parse formatting clause: unrecognized formatting clause ${JSON.stringify(verb)}`,
      );
    }
    const written = write(value, precision === undefined ? undefined : Number(precision));
    length += written.length;
    makeText(length);
    return written;
  });
  return result;
}

type Verb = (value: CelValue, precision: number | undefined) => string;

const verbs: Readonly<Record<string, Verb>> = {
  s: (value) => shown(value),
  d: decimal,
  f: (value, precision) => fixed(value, precision),
  e: (value, precision) => scientific(value, precision),
  b: (value) => (typeof value === "boolean" ? (value ? "1" : "0") : whole(value, "binary").toString(2)),
  o: (value) => whole(value, "octal").toString(8),
  x: (value) => hexadecimal(value),
  X: (value) => hexadecimal(value).toUpperCase(),
};

function wrong(clause: string, value: CelValue): EvaluationError {
  return new EvaluationError(`error during formatting: ${clause}, was given ${typeName(typeOf(value))}`);
}

function decimal(value: CelValue): string {
  if (typeof value === "number" && !Number.isFinite(value)) return special(value);
  if (typeof value === "number") return decimalOfDouble(value);
  if (typeof value === "bigint") return value.toString();
  if (value instanceof Uint) return value.value.toString();
  throw wrong("decimal clause can only be used on integers", value);
}

function decimalOfDouble(value: number): string {
  return Number.isInteger(value) ? BigInt(value).toString() : doubleText(value, 21);
}

function whole(value: CelValue, clause: string): bigint {
  if (typeof value === "bigint") return value;
  if (value instanceof Uint) return value.value;
  const also = clause === "binary" ? "integers and bools" : "integers";
  throw wrong(`${clause} clause can only be used on ${also}`, value);
}

function hexadecimal(value: CelValue): string {
  if (typeof value === "string") return Buffer.from(value).toString("hex");
  if (value instanceof Uint8Array) return Buffer.from(value).toString("hex");
  if (typeof value !== "bigint" && !(value instanceof Uint)) {
    throw wrong("only integers, byte buffers, and strings can be formatted as hex", value);
  }
  return whole(value, "hex").toString(16);
}

const special = (value: number): string => (Number.isNaN(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity");

function numberOf(value: CelValue, clause: string): number {
  if (typeof value === "number") return value;
  if (typeof value === "bigint") return Number(value);
  if (value instanceof Uint) return Number(value.value);
  const named: Readonly<Record<string, number>> = {
    NaN: Number.NaN,
    Infinity: Number.POSITIVE_INFINITY,
    "-Infinity": Number.NEGATIVE_INFINITY,
  };
  const known = typeof value === "string" ? named[value] : undefined;
  if (known !== undefined) return known;
  throw wrong(`${clause} clause can only be used on doubles`, value);
}

function fixed(value: CelValue, precision = usualPrecision): string {
  const number = numberOf(value, "fixed-point");
  return Number.isFinite(number) ? fixedText(number, precision) : special(number);
}

/** More digits than `toFixed` gives are zeros: a double has none left that anybody reads. */
function fixedText(number: number, precision: number): string {
  if (Math.abs(number) >= 1e21) return `${BigInt(number)}${precision > 0 ? `.${"0".repeat(precision)}` : ""}`;
  const digits = Math.min(precision, 100);
  return tiesToEven(number, digits).toFixed(digits) + "0".repeat(precision - digits);
}

/** Halfway between two texts the even one is written; `toFixed` takes the larger one. */
function tiesToEven(number: number, digits: number): number {
  const scaled = Math.abs(number) * 10 ** digits;
  const below = Math.floor(scaled);
  const isTie = scaled - below === 0.5 && scaled / 10 ** digits === Math.abs(number);
  return isTie && below % 2 === 0 ? (Math.sign(number) * below) / 10 ** digits : number;
}

function scientific(value: CelValue, precision = usualPrecision): string {
  const number = numberOf(value, "scientific");
  if (!Number.isFinite(number)) return special(number);
  const [digits = "", exponent = "+0"] = number.toExponential(Math.min(precision, 100)).split("e");
  return `${digits}e${exponent[0]}${exponent.slice(1).padStart(2, "0")}`;
}

/** What `%s` writes. */
function shown(value: CelValue): string {
  visit();
  if (value === null) return "null";
  if (typeof value === "string") return value;
  if (typeof value === "boolean" || typeof value === "bigint") return String(value);
  if (typeof value === "number") return Number.isFinite(value) ? decimalOfDouble(value) : special(value);
  if (value instanceof Uint) return value.value.toString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString();
  if (isTimestamp(value)) return timestampText(value);
  if (isDuration(value)) return durationText(value);
  if (isTypeValue(value)) return typeName(value.type);
  if (isList(value)) return `[${[...value.values()].map(shown).join(", ")}]`;
  const map = isObject(value) ? mapOfObject(value) : value;
  if (!isMap(map)) {
    throw wrong(
      "string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps",
      value,
    );
  }
  const entries = [...map.keys()].map((key): readonly [string, string] => [shown(key), shown(map.get(key) ?? null)]);
  entries.sort(([a], [b]) => compareText(a, b));
  return `{${entries.map(([key, one]) => `${key}: ${one}`).join(", ")}}`;
}

/** `format`. */
export const formatFunctions: readonly Overload[] = [
  overload("string_format", "string.format(list(dyn)): string", ([a, b]) => formatted(text(a), [...list(b).values()])),
];
