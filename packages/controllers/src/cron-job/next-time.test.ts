import assert from "node:assert/strict";
import { test } from "node:test";
import { parseCronSchedule } from "@skiff/api";
import { nextTime, zonedTimestamp } from "./next-time.ts";

const next = (schedule: string, after: string, timeZone?: string): string => {
  const atMs = nextTime(parseCronSchedule(schedule), Date.parse(after), timeZone);
  return atMs === undefined ? "never" : new Date(atMs).toISOString().replace(":00.000Z", "");
};

const cases: readonly (readonly [string, string, string, string?])[] = [
  ["* * * * *", "2026-01-01T00:00:00Z", "2026-01-01T00:01"],
  ["* * * * *", "2026-01-01T00:00:59.9Z", "2026-01-01T00:01"],
  ["*/15 * * * *", "2026-01-01T00:46:00Z", "2026-01-01T01:00"],
  ["? ? 1 * ?", "2026-01-01T00:00:00Z", "2026-01-01T00:01"],
  ["5 4 * * sun", "2026-01-01T00:00:00Z", "2026-01-04T04:05"],
  ["0 0 13 * 5", "2026-02-01T00:00:00Z", "2026-02-06T00:00"],
  ["0 0 */2 * 1", "2026-02-01T00:00:00Z", "2026-02-02T00:00"],
  ["0 0 29 2 *", "2026-01-01T00:00:00Z", "2028-02-29T00:00"],
  ["0 0 30 2 *", "2026-01-01T00:00:00Z", "never"],
  ["@monthly", "2026-12-15T00:00:00Z", "2027-01-01T00:00"],
  ["@every 90s", "2026-01-01T00:00:00Z", "2026-01-01T00:01:30.000Z"],
  ["0 9 * * *", "2026-01-01T00:00:00Z", "2026-01-01T08:00", "Europe/Paris"],
  ["0 9 * * *", "2026-07-01T00:00:00Z", "2026-07-01T07:00", "Europe/Paris"],
  ["30 5 * * *", "2026-01-01T00:00:00Z", "2026-01-02T00:00", "Asia/Kolkata"],
  // The hour from two to three is skipped on 29 March, and comes twice on 25 October.
  ["30 2 * * *", "2026-03-28T12:00:00Z", "2026-03-30T00:30", "Europe/Paris"],
  ["30 2 * * *", "2026-10-24T12:00:00Z", "2026-10-25T00:30", "Europe/Paris"],
  ["0 * * * *", "2026-10-25T00:00:00Z", "2026-10-25T01:00", "Europe/Paris"],
  // Clocks skip midnight there.
  ["0 1 6 9 *", "2026-09-05T00:00:00Z", "2026-09-06T04:00", "America/Santiago"],
];

for (const [schedule, after, expected, timeZone] of cases) {
  test(`${schedule} after ${after} ${timeZone ?? ""}`, () => assert.equal(next(schedule, after, timeZone), expected));
}

test("times as clocks of a time zone show them", () => {
  const at = Date.parse("2026-01-01T14:00:00Z");
  assert.deepEqual(
    [undefined, "Etc/UTC", "America/New_York", "Asia/Kolkata", "Europe/London"].map((zone) => zonedTimestamp(at, zone)),
    [
      "2026-01-01T14:00:00Z",
      "2026-01-01T14:00:00Z",
      "2026-01-01T09:00:00-05:00",
      "2026-01-01T19:30:00+05:30",
      "2026-01-01T14:00:00Z",
    ],
  );
});
