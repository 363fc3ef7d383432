import type { CronField, CronSchedule } from "@skiff/api";
import { timestamp } from "@skiff/base";

const minuteMs = 60_000;
const hourMs = 3_600_000;
/** A schedule that matches no day in so many years (the 30th of February) matches none. */
const searchYears = 5;

interface Wall {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  /** 0 is Sunday. */
  readonly weekday: number;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function formatFor(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone);
  if (known !== undefined) return known;
  const made = new Intl.DateTimeFormat("en-US", {
    timeZone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
  });
  formats.set(timeZone, made);
  return made;
}

/** What clocks show in a time zone. */
function wallAt(atMs: number, timeZone: string): Wall {
  if (timeZone === "UTC") {
    const date = new Date(atMs);
    return {
      year: date.getUTCFullYear(),
      month: date.getUTCMonth() + 1,
      day: date.getUTCDate(),
      hour: date.getUTCHours(),
      minute: date.getUTCMinutes(),
      weekday: date.getUTCDay(),
    };
  }
  const parts = new Map(
    formatFor(timeZone)
      .formatToParts(atMs)
      .map(({ type, value }) => [type, Number(value)]),
  );
  const part = (type: Intl.DateTimeFormatPartTypes) => parts.get(type) ?? 0;
  const [year, month, day] = [part("year"), part("month"), part("day")];
  const weekday = new Date(Date.UTC(year, month - 1, day)).getUTCDay();
  return { year, month, day, hour: part("hour"), minute: part("minute"), weekday };
}

/** The first moment of a day in a time zone. */
function startOfDay({ year, month, day }: Pick<Wall, "year" | "month" | "day">, timeZone: string): number {
  const asUtc = Date.UTC(year, month - 1, day);
  let guess = asUtc;
  // Twice: the offset at the first guess may be that of the other side of a change.
  for (let round = 0; round < 2; round++) guess = asUtc - offsetMs(guess, timeZone);
  // Where clocks skip midnight, the day begins an hour later.
  return wallAt(guess, timeZone).day === wallAt(asUtc, "UTC").day ? guess : guess + hourMs;
}

function offsetMs(atMs: number, timeZone: string): number {
  const { year, month, day, hour, minute } = wallAt(atMs, timeZone);
  return Date.UTC(year, month - 1, day, hour, minute) - Math.floor(atMs / minuteMs) * minuteMs;
}

/** A time in RFC 3339 as clocks of a time zone show it: `2026-01-01T09:00:00-05:00`. */
export function zonedTimestamp(atMs: number, timeZone = "UTC"): string {
  const minutes = Math.round(offsetMs(atMs, timeZone) / minuteMs);
  if (minutes === 0) return timestamp(atMs);
  const two = (value: number) => String(value).padStart(2, "0");
  const size = Math.abs(minutes);
  const offset = `${minutes < 0 ? "-" : "+"}${two(Math.floor(size / 60))}:${two(size % 60)}`;
  return timestamp(atMs + minutes * minuteMs).replace("Z", offset);
}

const allows = ({ values }: CronField, value: number): boolean => values.has(value);

/** Where both kinds of day are restricted either will do; a star leaves the decision to the other. */
function dayAllowed(schedule: Extract<CronSchedule, { kind: "calendar" }>, wall: Wall): boolean {
  const byMonth = allows(schedule.dayOfMonth, wall.day);
  const byWeek = allows(schedule.dayOfWeek, wall.weekday);
  return schedule.dayOfMonth.everything || schedule.dayOfWeek.everything ? byMonth && byWeek : byMonth || byWeek;
}

/**
 * The first time after `afterMs` (epoch milliseconds) that a schedule names, by the clocks of its own time zone or else of the given
 * one; `undefined` where there is none. What falls into an hour that clocks skip is left out.
 */
export function nextTime(schedule: CronSchedule, afterMs: number, zone = "UTC"): number | undefined {
  if (schedule.kind === "every") return Math.floor(afterMs / 1000) * 1000 + schedule.everyMs;
  const { month, hour, minute, timeZone = zone } = schedule;
  let atMs = Math.floor(afterMs / minuteMs) * minuteMs + minuteMs;
  const lastYear = wallAt(atMs, timeZone).year + searchYears;
  for (;;) {
    const wall = wallAt(atMs, timeZone);
    if (wall.year > lastYear) return undefined;
    if (!allows(month, wall.month)) atMs = startOfDay({ ...wall, month: wall.month + 1, day: 1 }, timeZone);
    else if (!dayAllowed(schedule, wall)) atMs = startOfDay({ ...wall, day: wall.day + 1 }, timeZone);
    else if (!allows(hour, wall.hour)) atMs += hourMs - wall.minute * minuteMs;
    else if (!allows(minute, wall.minute)) atMs += minutesTo(minute, wall.minute) * minuteMs;
    else return atMs;
  }
}

/** To the next allowed minute of the hour, or to the hour's end. */
function minutesTo({ values }: CronField, minute: number): number {
  for (let next = minute + 1; next < 60; next++) if (values.has(next)) return next - minute;
  return 60 - minute;
}
