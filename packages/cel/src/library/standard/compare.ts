import type { CelValue } from "../../values/cel-value.ts";
import { compareNumbers } from "../../values/equality.ts";
import { bool, bytes, duration, text, timestamp } from "../narrow.ts";
import { type Overload, overload } from "../overload.ts";

type Order = (a: CelValue | undefined, b: CelValue | undefined) => number;

/** Text orders by code points; UTF-16, which JavaScript compares by, orders what is beyond the first plane differently. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  let index = 0;
  while (index < length && a.charCodeAt(index) === b.charCodeAt(index)) index++;
  if (index === length) return a.length - b.length;
  const isLow = (value: string): boolean => (value.charCodeAt(index) & 0xfc00) === 0xdc00;
  const start = index > 0 && isLow(a) && isLow(b) ? index - 1 : index;
  return (a.codePointAt(start) ?? 0) - (b.codePointAt(start) ?? 0);
}

const byNanos = (a: { readonly nanos: bigint }, b: { readonly nanos: bigint }): number =>
  a.nanos < b.nanos ? -1 : a.nanos > b.nanos ? 1 : 0;

const orders: readonly (readonly [string, string, Order])[] = [
  ["bool", "bool", (a, b) => Number(bool(a)) - Number(bool(b))],
  ["string", "string", (a, b) => compareText(text(a), text(b))],
  ["bytes", "bytes", (a, b) => Buffer.compare(bytes(a), bytes(b))],
  ["timestamp", "timestamp", (a, b) => byNanos(timestamp(a), timestamp(b))],
  ["duration", "duration", (a, b) => byNanos(duration(a), duration(b))],
  ...["int", "uint", "double"].flatMap((left) =>
    ["int", "uint", "double"].map((right): readonly [string, string, Order] => [
      left,
      right,
      (a, b) => compareNumbers(a ?? null, b ?? null) ?? Number.NaN,
    ]),
  ),
];

const holds: Readonly<Record<string, (order: number) => boolean>> = {
  "<": (order) => order < 0,
  "<=": (order) => order <= 0,
  ">": (order) => order > 0,
  ">=": (order) => order >= 0,
};

const words: Readonly<Record<string, string>> = {
  "<": "less",
  "<=": "less_equals",
  ">": "greater",
  ">=": "greater_equals",
};

/** `<`, `<=`, `>`, `>=`. */
export const comparisons: readonly Overload[] = Object.entries(holds).flatMap(([sign, test]) =>
  orders.map(([left, right, order]) => {
    const id = left === right ? `${words[sign]}_${left}` : `${words[sign]}_${left}_${right}`;
    return overload(id, `_${sign}_(${left}, ${right}): bool`, ([a, b]) => test(order(a, b)));
  }),
);
