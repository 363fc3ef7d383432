/**
 * Quantities (`250m`, `1.5Gi`, `2e3`): exact amounts with a suffix, compared and added without rounding. What is stored is the
 * canonical form, in which the mantissa is whole and the suffix as large as that allows.
 * https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
 *
 * Most quantities that the platform meets are small, so sums in millis and units have a path without big integers.
 */

/** How a quantity was written, and so is written again. */
export type QuantityFormat = "decimalSI" | "binarySI" | "decimalExponent";

/** An exact amount: a whole number of nano units. */
export interface Quantity {
  readonly nanos: bigint;
  readonly format: QuantityFormat;
}

/** Why a text is not a quantity, in Kubernetes' words. */
export class QuantityError extends Error {
  override name = "QuantityError";
}

const wrongFormat = () =>
  new QuantityError("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'");

const nano = 1_000_000_000n;
const milli = 1_000_000n;
/** The largest magnitude; larger ones are capped to it. */
const largest = (2n ** 63n - 1n) * nano;

const decimalPowers: Readonly<Record<string, number>> = {
  n: -9,
  u: -6,
  m: -3,
  "": 0,
  k: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
  E: 18,
};
const binaryPowers: Readonly<Record<string, number>> = { Ki: 10, Mi: 20, Gi: 30, Ti: 40, Pi: 50, Ei: 60 };
const decimalSuffixes = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];
const binarySuffixes = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

/** Longer texts are refused: no quantity needs them, and arithmetic on them is a way to burn a processor. */
const longestText = 256;

/** Parses a quantity. Throws `QuantityError`. Finer than nano is rounded away from zero; too large is capped. */
export function parseQuantity(text: string): Quantity {
  if (text === "" || text.length > longestText) throw wrongFormat();
  const parts = /^([+-]?)([0-9]*)(?:\.([0-9]*))?([^0-9.].*)?$/.exec(text);
  if (parts === null) throw wrongFormat();
  const [, sign = "", whole = "", fraction = "", suffix = ""] = parts;
  if (whole === "" && fraction === "") throw wrongFormat();
  const { base, power, format } = readSuffix(suffix);
  const digits = BigInt(whole + fraction);
  const magnitude =
    base === 2
      ? scaleUp(digits * 2n ** BigInt(power), 9 - fraction.length)
      : scaleUp(digits, power + 9 - fraction.length);
  const capped = magnitude > largest ? largest : magnitude;
  return { nanos: sign === "-" ? -capped : capped, format };
}

/** `digits` × 10^`power`, rounded up to a whole number. Powers beyond any quantity need no arithmetic. */
function scaleUp(digits: bigint, power: number): bigint {
  if (digits === 0n) return 0n;
  if (power >= 0) return power > 600 ? largest + 1n : digits * 10n ** BigInt(power);
  return power < -600 ? 1n : divideUp(digits, 10n ** BigInt(-power));
}

const divideUp = (value: bigint, by: bigint): bigint => {
  const quotient = value / by;
  return value % by > 0n ? quotient + 1n : quotient;
};

interface Suffix {
  readonly base: 2 | 10;
  readonly power: number;
  readonly format: QuantityFormat;
}

function readSuffix(suffix: string): Suffix {
  const decimal = decimalPowers[suffix];
  if (decimal !== undefined) return { base: 10, power: decimal, format: "decimalSI" };
  const binary = binaryPowers[suffix];
  if (binary !== undefined) return { base: 2, power: binary, format: "binarySI" };
  const exponent = /^[eE]([+-]?[0-9]{1,18})$/.exec(suffix);
  if (exponent !== null) return { base: 10, power: Number(exponent[1]), format: "decimalExponent" };
  if (!/^[eEinumkKMGTP]*[-+]?[0-9]*$/.test(suffix)) throw wrongFormat();
  throw new QuantityError("unable to parse quantity's suffix");
}

/** Canonical text of a quantity. */
export function formatQuantity({ nanos, format }: Quantity): string {
  if (nanos === 0n) return "0";
  const sign = nanos < 0n ? "-" : "";
  const magnitude = nanos < 0n ? -nanos : nanos;
  // Below 1024 there is no binary suffix to write.
  if (format === "binarySI" && magnitude >= 1024n * nano) return sign + binaryText(divideUp(magnitude, nano));
  let mantissa = magnitude;
  let thousands = 0;
  while (mantissa % 1000n === 0n && thousands < decimalSuffixes.length - 1) {
    mantissa /= 1000n;
    thousands++;
  }
  if (format !== "decimalExponent") return sign + mantissa + (decimalSuffixes[thousands] ?? "");
  const exponent = thousands * 3 - 9;
  return sign + mantissa + (exponent === 0 ? "" : `e${exponent}`);
}

function binaryText(units: bigint): string {
  let mantissa = units;
  let kibis = 0;
  while (mantissa % 1024n === 0n && kibis < binarySuffixes.length - 1) {
    mantissa /= 1024n;
    kibis++;
  }
  return `${mantissa}${binarySuffixes[kibis]}`;
}

/** Canonical text: `1000m` → `1`. Throws `QuantityError`. */
export const canonicalQuantity = (text: string): string => formatQuantity(parseQuantity(text));

const amountOf = (quantity: string | Quantity): bigint =>
  typeof quantity === "string" ? parseQuantity(quantity).nanos : quantity.nanos;

/** What the fast path reads: a few digits and one of the suffixes that resources usually have. */
const plain = /^([0-9]{1,6})(m|Ki|Mi|Gi|k|M|G)?$/;
const plainMillis: Readonly<Record<string, number>> = {
  m: 1,
  "": 1e3,
  k: 1e6,
  M: 1e9,
  G: 1e12,
  Ki: 1024e3,
  Mi: 1024 ** 2 * 1e3,
  Gi: 1024 ** 3 * 1e3,
};

function plainAmount(quantity: string | Quantity): number | undefined {
  if (typeof quantity !== "string") return undefined;
  const parts = plain.exec(quantity);
  if (parts === null) return undefined;
  const millis = Number(parts[1]) * (plainMillis[parts[2] ?? ""] ?? Number.NaN);
  return Number.isSafeInteger(millis) ? millis : undefined;
}

const ceilingOf = (nanos: bigint, unit: bigint): number => {
  const quotient = nanos / unit;
  return Number(nanos % unit > 0n ? quotient + 1n : quotient);
};

/** Thousandths, rounded up: `1` → 1000, `250m` → 250. Absent is 0. Throws `QuantityError`. */
export function asMillis(quantity: string | Quantity | undefined): number {
  if (quantity === undefined) return 0;
  return plainAmount(quantity) ?? ceilingOf(amountOf(quantity), milli);
}

/** Whole units, rounded up: bytes of a memory quantity, pieces of a count. Absent is 0. Throws `QuantityError`. */
export function asUnits(quantity: string | Quantity | undefined): number {
  if (quantity === undefined) return 0;
  const millis = plainAmount(quantity);
  return millis === undefined ? ceilingOf(amountOf(quantity), nano) : Math.ceil(millis / 1000);
}

/** Negative when `a` is less than `b`, 0 when they are the same amount. Throws `QuantityError`. */
export function compareQuantities(a: string | Quantity, b: string | Quantity): number {
  if (a === b) return 0;
  const [left, right] = [plainAmount(a), plainAmount(b)];
  if (left !== undefined && right !== undefined) return left - right;
  const [x, y] = [amountOf(a), amountOf(b)];
  return x < y ? -1 : x > y ? 1 : 0;
}

const combine = (a: string | Quantity, b: string | Quantity, sign: 1n | -1n): string => {
  const left = typeof a === "string" ? parseQuantity(a) : a;
  const right = typeof b === "string" ? parseQuantity(b) : b;
  // Zero has no form of its own: the sum is written as the other one is.
  const format = left.nanos === 0n ? right.format : left.format;
  return formatQuantity({ nanos: left.nanos + sign * right.nanos, format });
};

/** Canonical text of the sum, in the form of the first. Throws `QuantityError`. */
export const addQuantities = (a: string | Quantity, b: string | Quantity): string => combine(a, b, 1n);

/** Canonical text of the difference, in the form of the first. Throws `QuantityError`. */
export const subtractQuantities = (a: string | Quantity, b: string | Quantity): string => combine(a, b, -1n);
