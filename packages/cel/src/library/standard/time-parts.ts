import { EvaluationError } from "../../evaluate/evaluation-error.ts";
import type { CelValue } from "../../values/cel-value.ts";
import { floorDivide } from "../../values/times.ts";
import { duration, text, timestamp } from "../narrow.ts";
import { type Overload, overload } from "../overload.ts";

/** A moment's clock in a zone, kept in the UTC fields of a `Date`. */
function clockOf(moment: CelValue | undefined, zone: CelValue | undefined): Date {
  const ms = Number(floorDivide(timestamp(moment).nanos, 1_000_000n));
  return new Date(ms + (zone === undefined ? 0 : zoneMs(text(zone), ms)));
}

/** How far a zone (`+02:00`, `Europe/Berlin`) is ahead of UTC at a moment. */
function zoneMs(zone: string, ms: number): number {
  const offset = /^([+-]?)(\d{2}):(\d{2})$/.exec(zone);
  if (offset !== null) {
    const [, sign, hours, minutes] = offset;
    return (Number(hours) * 60 + Number(minutes)) * 60_000 * (sign === "-" ? -1 : 1);
  }
  if (zone === "" || zone === "UTC") return 0;
  try {
    const shown = new Intl.DateTimeFormat("en-US", { timeZone: zone, timeZoneName: "longOffset", year: "numeric" });
    const name = shown.formatToParts(new Date(ms)).find(({ type }) => type === "timeZoneName")?.value ?? "GMT";
    const found = /([+-])(\d{2}):(\d{2})(?::(\d{2}))?/.exec(name);
    if (found === null) return 0;
    const [, sign, hours, minutes, seconds = "0"] = found;
    return ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000 * (sign === "-" ? -1 : 1);
  } catch (error) {
    if (error instanceof RangeError) throw new EvaluationError(`unknown time zone ${zone}`);
    throw error;
  }
}

const dayOfYear = (date: Date): number =>
  Math.round((Date.UTC(2000, date.getUTCMonth(), date.getUTCDate()) - Date.UTC(2000, 0, 1)) / 86_400_000) -
  (date.getUTCMonth() > 1 && !isLeap(date.getUTCFullYear()) ? 1 : 0);

const isLeap = (year: number): boolean => (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;

const parts: readonly (readonly [string, (date: Date) => number])[] = [
  ["getFullYear", (date) => date.getUTCFullYear()],
  ["getMonth", (date) => date.getUTCMonth()],
  ["getDayOfYear", dayOfYear],
  ["getDate", (date) => date.getUTCDate()],
  ["getDayOfMonth", (date) => date.getUTCDate() - 1],
  ["getDayOfWeek", (date) => date.getUTCDay()],
  ["getHours", (date) => date.getUTCHours()],
  ["getMinutes", (date) => date.getUTCMinutes()],
  ["getSeconds", (date) => date.getUTCSeconds()],
  ["getMilliseconds", (date) => date.getUTCMilliseconds()],
];

const lengths: readonly (readonly [string, (nanos: bigint) => bigint])[] = [
  ["getHours", (nanos) => nanos / 3_600_000_000_000n],
  ["getMinutes", (nanos) => nanos / 60_000_000_000n],
  ["getSeconds", (nanos) => nanos / 1_000_000_000n],
  ["getMilliseconds", (nanos) => (nanos / 1_000_000n) % 1000n],
];

/** `getFullYear()` and the others, of moments with or without a zone, and of durations. */
export const timeParts: readonly Overload[] = [
  ...parts.flatMap(([name, part]) => [
    overload(`timestamp_${name}`, `timestamp.${name}(): int`, ([moment]) => BigInt(part(clockOf(moment, undefined)))),
    overload(`timestamp_${name}_with_tz`, `timestamp.${name}(string): int`, ([moment, zone]) =>
      BigInt(part(clockOf(moment, zone))),
    ),
  ]),
  ...lengths.map(([name, length]) =>
    overload(`duration_${name}`, `duration.${name}(): int`, ([value]) => length(duration(value).nanos)),
  ),
];
