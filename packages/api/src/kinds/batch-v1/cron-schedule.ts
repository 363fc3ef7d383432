/**
 * When a CronJob runs, in the five fields of cron or by a name (`@daily`). `?` means what `*` means, `7/2` what `7-max/2`
 * means, and the days of the week are 0 to 6. https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/
 */

import { isTimeZone } from "./time-zone.ts";

/** The numbers that a field allows. `everything`: written with a star, so that the other kind of day decides alone. */
export interface CronField {
  readonly values: ReadonlySet<number>;
  readonly everything: boolean;
}

/** A schedule as it is read: by the calendar, or at a distance from the last time. */
export type CronSchedule =
  | {
      readonly kind: "calendar";
      /** By whose clocks, where the schedule itself says so. */
      readonly timeZone?: string;
      readonly minute: CronField;
      readonly hour: CronField;
      readonly dayOfMonth: CronField;
      readonly month: CronField;
      readonly dayOfWeek: CronField;
    }
  | { readonly kind: "every"; readonly everyMs: number };

/** Why a text is no schedule, in Kubernetes' words. */
export class CronError extends Error {
  override name = "CronError";
}

interface Bounds {
  readonly min: number;
  readonly max: number;
  readonly names?: readonly string[];
}

const months = ["", "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const days = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const minutes: Bounds = { min: 0, max: 59 };
const hours: Bounds = { min: 0, max: 23 };
const daysOfMonth: Bounds = { min: 1, max: 31 };
const monthsOfYear: Bounds = { min: 1, max: 12, names: months };
const daysOfWeek: Bounds = { min: 0, max: 6, names: days };

const named: Readonly<Record<string, string>> = {
  "@yearly": "0 0 1 1 *",
  "@annually": "0 0 1 1 *",
  "@monthly": "0 0 1 * *",
  "@weekly": "0 0 * * 0",
  "@daily": "0 0 * * *",
  "@midnight": "0 0 * * *",
  "@hourly": "0 * * * *",
};

/** Reads a schedule, with a leading `TZ=…` or `CRON_TZ=…` as CronJobs of old have it. Throws `CronError`. */
export function parseCronSchedule(text: string): CronSchedule {
  if (text === "") throw new CronError("empty spec string");
  const [, timeZone, rest = text] = /^(?:CRON_)?TZ=(\S*) *(.*)$/s.exec(text) ?? [];
  if (timeZone && !isTimeZone(timeZone)) {
    throw new CronError(`provided bad location ${timeZone}: unknown time zone ${timeZone}`);
  }
  const spec = rest.trim();
  if (spec.startsWith("@every ")) return { kind: "every", everyMs: durationMs(spec.slice("@every ".length)) };
  if (spec.startsWith("@") && named[spec] === undefined) throw new CronError(`unrecognized descriptor: ${spec}`);
  const fields = (named[spec] ?? spec).split(/\s+/).filter((field) => field !== "");
  const [minute = "", hour = "", dayOfMonth = "", month = "", dayOfWeek = ""] = fields;
  if (fields.length !== 5) {
    throw new CronError(`expected exactly 5 fields, found ${fields.length}: [${fields.join(" ")}]`);
  }
  return {
    kind: "calendar",
    ...(timeZone && { timeZone }),
    minute: readField(minute, minutes),
    hour: readField(hour, hours),
    dayOfMonth: readField(dayOfMonth, daysOfMonth),
    month: readField(month, monthsOfYear),
    dayOfWeek: readField(dayOfWeek, daysOfWeek),
  };
}

function readField(text: string, bounds: Bounds): CronField {
  const values = new Set<number>();
  let everything = false;
  for (const part of text.split(",").filter((one) => one !== "")) {
    const { start, end, step, star } = readRange(part, bounds);
    everything ||= star;
    for (let value = start; value <= end; value += step) values.add(value);
  }
  return { values, everything };
}

interface CronRange {
  readonly start: number;
  readonly end: number;
  readonly step: number;
  readonly star: boolean;
}

function readRange(text: string, bounds: Bounds): CronRange {
  const [range = "", stepText, ...moreSlashes] = text.split("/");
  const [low = "", high, ...moreHyphens] = range.split("-");
  const star = low === "*" || low === "?";
  const start = star ? bounds.min : intOrName(low, bounds);
  if (!star && moreHyphens.length > 0) throw new CronError(`too many hyphens: ${text}`);
  let end = star ? bounds.max : high === undefined ? start : intOrName(high, bounds);
  if (moreSlashes.length > 0) throw new CronError(`too many slashes: ${text}`);
  const step = stepText === undefined ? 1 : wholeNumber(stepText);
  if (stepText !== undefined && high === undefined) end = bounds.max;
  const { min, max } = bounds;
  if (start < min) throw new CronError(`beginning of range (${start}) below minimum (${min}): ${text}`);
  if (end > max) throw new CronError(`end of range (${end}) above maximum (${max}): ${text}`);
  if (start > end) throw new CronError(`beginning of range (${start}) beyond end of range (${end}): ${text}`);
  if (step === 0) throw new CronError(`step of range should be a positive number: ${text}`);
  return { start, end, step, star: star && step === 1 };
}

function intOrName(text: string, { names = [] }: Bounds): number {
  const index = text === "" ? -1 : names.indexOf(text.toLowerCase());
  return index >= 0 ? index : wholeNumber(text);
}

function wholeNumber(text: string): number {
  if (!/^[+-]?[0-9]+$/.test(text)) {
    const reason = `strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`;
    throw new CronError(`failed to parse int from ${text}: ${reason}`);
  }
  const value = Number(text);
  if (value < 0) throw new CronError(`negative number (${value}) not allowed: ${text}`);
  return value;
}

const unitsMs: Readonly<Record<string, number>> = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1e3, m: 6e4, h: 36e5 };
const durationPart = "(?:[0-9]+\\.?[0-9]*|\\.[0-9]+)(?:ns|us|µs|ms|s|m|h)";

/** `1h30m`. Less than a second is a second. */
function durationMs(text: string): number {
  if (!new RegExp(`^[+-]?(?:0|(?:${durationPart})+)$`).test(text)) {
    const quoted = JSON.stringify(text);
    throw new CronError(`failed to parse duration @every ${text}: time: invalid duration ${quoted}`);
  }
  let sum = 0;
  for (const [, amount = "", unit = ""] of text.matchAll(/([0-9.]+)(ns|us|µs|ms|s|m|h)/g)) {
    sum += Number(amount) * (unitsMs[unit] ?? 0);
  }
  return Math.max(1000, Math.trunc(sum / 1000) * 1000);
}
