import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type CronJob, parseCronSchedule } from "@skiff/api";
import { lastDue } from "./last-due.ts";
import { nextTime } from "./next-time.ts";
import { planCronJob } from "./plan.ts";

/** A Thursday. */
const day = "2016-05-19";
const at = (time: string, days = 0) => Date.parse(`${day}T${time}Z`) + days * 86_400_000;
const text = (ms: number | undefined) =>
  ms === undefined ? "none" : new Date(ms).toISOString().replace(":00.000Z", "").replace("2016-", "");

interface Case {
  readonly schedule: string;
  readonly created?: number;
  readonly last?: number;
  readonly now: number;
  /** The last time that has come, how many were missed, and the next after it. */
  readonly expected: string;
  readonly deadlineSeconds?: number;
}

const office = "30 6-16/4 * * 1-5";
const cases: Readonly<Record<string, Case>> = {
  "none has come": { schedule: "0 * * * *", now: at("10:00:30"), expected: "none none 05-19T11:00" },
  "one has": { schedule: "0 * * * *", now: at("11:01"), expected: "05-19T11:00 none 05-19T12:00" },
  "five have": { schedule: "0 * * * *", now: at("15:01"), expected: "05-19T15:00 few 05-19T16:00" },
  "hundreds have": { schedule: "* * * * *", now: at("15:01"), expected: "05-19T15:01 many 05-19T15:02" },
  "over night": { schedule: office, last: at("10:30"), now: at("10:31", 1), expected: "05-20T10:30 few 05-20T14:30" },
  "over a weekend": {
    schedule: office,
    last: at("10:30"),
    now: at("10:31", 4),
    expected: "05-23T10:30 few 05-23T14:30",
  },
  "too far back to be found by steps of an hour": {
    schedule: "30 10,11,12 * * 1-5",
    last: at("10:30"),
    now: at("16:30", 1),
    expected: "none few 05-23T10:30",
  },
  "every hour from a time of its own": {
    schedule: "@every 1h",
    last: at("10:01"),
    now: at("10:00", 7),
    expected: "05-26T09:01 many 05-26T10:01",
  },
  "every hour, looked at in between": {
    schedule: "@every 1h",
    last: at("10:01"),
    now: at("10:41"),
    expected: "none none 05-19T11:01",
  },
  "a day that does not exist": { schedule: "59 23 31 2 *", now: at("11:00"), expected: "never" },
  "before the deadline": {
    schedule: "*/5 * * * *",
    last: at("10:00"),
    now: at("10:32"),
    deadlineSeconds: 60,
    expected: "none none 05-19T10:35",
  },
};

const cronJobOf = ({ schedule, created = at("10:00"), last, deadlineSeconds }: Case): CronJob => ({
  metadata: {
    name: "tick",
    namespace: "default",
    uid: "u",
    resourceVersion: "1",
    creationTimestamp: new Date(created).toISOString(),
  },
  spec: {
    schedule,
    jobTemplate: {},
    ...(deadlineSeconds === undefined ? {} : { startingDeadlineSeconds: deadlineSeconds }),
  },
  status: last === undefined ? {} : { lastScheduleTime: new Date(last).toISOString() },
});

describe("the last time that has come", () => {
  for (const [name, one] of Object.entries(cases))
    it(name, () => {
      const schedule = parseCronSchedule(one.schedule);
      const due = lastDue(cronJobOf(one), { schedule, nowMs: one.now, withinDeadline: true });
      if (due.kind === "never") return assert.equal("never", one.expected);
      const next = nextTime(schedule, due.atMs ?? (due.missed === "none" ? due.fromMs : one.now));
      assert.equal(`${text(due.atMs)} ${due.missed} ${text(next)}`, one.expected);
    });

  it("keeps the beat of what counts from its own start, whenever it is looked at", () => {
    const one = { schedule: "@every 1h", last: at("10:01"), now: at("10:41"), expected: "" };
    const plan = planCronJob({ cronJob: cronJobOf(one), jobs: [], strays: [], nowMs: one.now });
    assert.equal(text(one.now + (plan.recheckMs ?? 0) - 100), "05-19T11:01");
  });

  it("is told where there never is one, and not looked for again", () => {
    const one = { schedule: "59 23 31 2 *", now: at("11:00"), expected: "" };
    const { events, recheckMs } = planCronJob({ cronJob: cronJobOf(one), jobs: [], strays: [], nowMs: one.now });
    const message = "invalid schedule: 59 23 31 2 * : time difference between two schedules is less than 1 second";
    assert.deepEqual(events, [{ type: "Warning", reason: "InvalidSchedule", message }]);
    assert.equal(recheckMs, undefined);
  });
});
