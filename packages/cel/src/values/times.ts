import { type Duration, durationOf, type Timestamp, timestampOf } from "./cel-value.ts";

const nanosPer: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};
const longest = 2n ** 63n - 1n;

/** A duration as Go writes it (`1h15m30.5s`), or `undefined` for text that is none. */
export function parseDuration(text: string): Duration | undefined {
  const signed = /^([+-]?)(.+)$/s.exec(text);
  const [, sign = "", amounts = ""] = signed ?? [];
  if (amounts === "0") return durationOf(0n);
  const part = /(\d*)(?:\.(\d*))?(ns|us|µs|μs|ms|s|m|h)/gy;
  let nanos = 0n;
  let read = 0;
  for (let found = part.exec(amounts); found !== null; found = part.exec(amounts)) {
    const [all, whole = "", fraction = "", unit = ""] = found;
    if (whole === "" && fraction === "") return undefined;
    const per = nanosPer[unit] ?? 0n;
    nanos += BigInt(whole === "" ? "0" : whole) * per;
    if (fraction !== "") nanos += (BigInt(fraction) * per) / 10n ** BigInt(fraction.length);
    read += all.length;
  }
  if (read === 0 || read !== amounts.length) return undefined;
  const value = sign === "-" ? -nanos : nanos;
  return value > longest || value < -longest - 1n ? undefined : durationOf(value);
}

/** A duration as CEL turns it into text: seconds with what is needed of a fraction (`5400s`, `1.5s`). */
export function durationText({ nanos }: Duration): string {
  const size = nanos < 0n ? -nanos : nanos;
  const fraction = (size % 1_000_000_000n).toString().padStart(9, "0").replace(/0+$/, "");
  return `${nanos < 0n ? "-" : ""}${size / 1_000_000_000n}${fraction === "" ? "" : `.${fraction}`}s`;
}

const form = /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.(\d+))?(?:[Zz]|([+-])(\d{2}):(\d{2}))$/;

/** First and last second that CEL knows: the years 1 to 9999. */
export const earliestNanos = -62_135_596_800n * 1_000_000_000n;
export const latestNanos = 253_402_300_799n * 1_000_000_000n + 999_999_999n;

/** An RFC 3339 moment, or `undefined` for text that is none. */
export function parseTimestamp(text: string): Timestamp | undefined {
  const found = form.exec(text);
  if (found === null) return undefined;
  const [, year, month, day, hour, minute, second, fraction = "", sign, zoneHour = "0", zoneMinute = "0"] = found;
  const date = new Date(0);
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  date.setUTCHours(Number(hour), Number(minute), Number(second));
  const exact =
    date.getUTCMonth() === Number(month) - 1 &&
    date.getUTCDate() === Number(day) &&
    Number(hour) < 24 &&
    Number(minute) < 60 &&
    Number(second) < 60 &&
    Number(zoneHour) < 24 &&
    Number(zoneMinute) < 60;
  if (!exact) return undefined;
  const zoneMs = (Number(zoneHour) * 60 + Number(zoneMinute)) * 60_000 * (sign === "-" ? -1 : 1);
  const nanos = BigInt(date.getTime() - zoneMs) * 1_000_000n + BigInt(fraction.slice(0, 9).padEnd(9, "0"));
  return nanos < earliestNanos || nanos > latestNanos ? undefined : timestampOf(nanos);
}

/** A moment in RFC 3339, UTC, with what is needed of a fraction. */
export function timestampText({ nanos }: Timestamp): string {
  const seconds = floorDivide(nanos, 1_000_000_000n);
  const rest = nanos - seconds * 1_000_000_000n;
  const fraction = rest.toString().padStart(9, "0").replace(/0+$/, "");
  const whole = new Date(Number(seconds) * 1000).toISOString().replace(/\.\d+Z$/, "");
  return `${whole}${fraction === "" ? "" : `.${fraction}`}Z`;
}

/** Division that rounds down, so that moments before 1970 keep a fraction that counts forward. */
export function floorDivide(a: bigint, b: bigint): bigint {
  const quotient = a / b;
  return a % b < 0n ? quotient - 1n : quotient;
}
