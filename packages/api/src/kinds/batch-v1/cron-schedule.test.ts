import assert from "node:assert/strict";
import { test } from "node:test";
import { parseCronSchedule } from "./cron-schedule.ts";

function fields(text: string): Record<string, string> {
  const schedule = parseCronSchedule(text);
  assert(schedule.kind === "calendar");
  const { kind: _kind, timeZone: _zone, ...parts } = schedule;
  return Object.fromEntries(Object.entries(parts).map(([name, { values }]) => [name, [...values].join(" ")]));
}

test("fields, names, steps and question marks", () => {
  assert.deepEqual(fields("*/20 8-10 ? jan,MAR mon-wed"), {
    minute: "0 20 40",
    hour: "8 9 10",
    dayOfMonth: Array.from({ length: 31 }, (_, day) => day + 1).join(" "),
    month: "1 3",
    dayOfWeek: "1 2 3",
  });
  assert.equal(fields("50/3 0 1 1 0").minute, "50 53 56 59");
  assert.equal(fields("@hourly").minute, "0");
  assert.equal(fields("TZ=Europe/Berlin 5 0 * * *").minute, "5");
});

test("only a plain star leaves the choice to the other kind of day", () => {
  const schedule = parseCronSchedule("0 0 */2 * ?");
  assert(schedule.kind === "calendar");
  assert.equal(schedule.dayOfMonth.everything, false);
  assert.equal(schedule.dayOfWeek.everything, true);
});

test("distances", () => {
  assert.deepEqual(parseCronSchedule("@every 1h30m10.9s"), { kind: "every", everyMs: 5_410_000 });
  assert.deepEqual(parseCronSchedule("@every 5ms"), { kind: "every", everyMs: 1000 });
});

const wrong: readonly (readonly [string, string])[] = [
  ["", "empty spec string"],
  ["* * * *", "expected exactly 5 fields, found 4: [* * * *]"],
  ["error", "expected exactly 5 fields, found 1: [error]"],
  ["60 * * * *", "end of range (60) above maximum (59): 60"],
  ["* * 0 * *", "beginning of range (0) below minimum (1): 0"],
  ["5-3 * * * *", "beginning of range (5) beyond end of range (3): 5-3"],
  ["*/0 * * * *", "step of range should be a positive number: */0"],
  ["1-2-3 * * * *", "too many hyphens: 1-2-3"],
  ["1/2/3 * * * *", "too many slashes: 1/2/3"],
  ["x * * * *", 'failed to parse int from x: strconv.Atoi: parsing "x": invalid syntax'],
  ["* * * * 7", "end of range (7) above maximum (6): 7"],
  ["TZ=Mars/Base 0 0 * * *", "provided bad location Mars/Base: unknown time zone Mars/Base"],
  ["@fortnightly", "unrecognized descriptor: @fortnightly"],
  ["@every soon", 'failed to parse duration @every soon: time: invalid duration "soon"'],
];

for (const [text, message] of wrong) {
  test(`refused: ${JSON.stringify(text)}`, () =>
    assert.throws(() => parseCronSchedule(text), { name: "CronError", message }));
}
