import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { CronJob, CronJobStatus, Job, JobStatus } from "@skiff/api";
import { planCronJob } from "./plan.ts";

const nowMs = Date.parse("2026-01-01T10:00:30Z");
const dueMs = Date.parse("2026-01-01T10:00:00Z");
const dueName = `tick-${dueMs / 60_000}`;
const meta = (name: string) => ({
  name,
  namespace: "default",
  uid: name,
  resourceVersion: "1",
  creationTimestamp: "2026-01-01T09:58:30Z",
});
const cronJob = (status: CronJobStatus = {}, spec: Partial<CronJob["spec"]> = {}): CronJob => ({
  metadata: meta("tick"),
  spec: { schedule: "0 * * * *", jobTemplate: {}, ...spec },
  status,
});
const job = (name: string, status: JobStatus = {}): Job => ({
  metadata: meta(name),
  spec: { template: { spec: { containers: [] } } },
  status,
});
const ended = (type: string, completionTime?: string): JobStatus => ({
  conditions: [{ type, status: "True" }],
  ...(completionTime === undefined ? {} : { completionTime }),
});
const active = (...names: string[]) => ({ active: names.map((name) => ({ name, uid: name })) });

describe("what a CronJob does next", () => {
  for (const [what, one, jobs, starts] of [
    ["starts what is due", cronJob(), [], true],
    ["does not start what was started", cronJob({ lastScheduleTime: "2026-01-01T10:00:00Z" }), [], false],
    ["nor what is active under the name of that time", cronJob(active(dueName)), [job(dueName)], false],
    ["nor what is suspended", cronJob({}, { suspend: true }), [], false],
    ["nor what was due too long ago", cronJob({}, { startingDeadlineSeconds: 10 }), [], false],
    ["starts beside others", cronJob(active("old"), { concurrencyPolicy: "Allow" }), [job("old")], true],
    ["waits for others", cronJob(active("old"), { concurrencyPolicy: "Forbid" }), [job("old")], false],
    [
      "does not wait for those that have ended",
      cronJob(active("old"), { concurrencyPolicy: "Forbid" }),
      [job("old", ended("Failed"))],
      true,
    ],
  ] as const)
    it(what, () => {
      const plan = planCronJob({ cronJob: one, jobs, strays: [], nowMs });
      assert.equal(plan.startAtMs, starts ? dueMs : undefined);
    });

  it("knows the last success of all its jobs, active or not", () => {
    const jobs = [
      job("a", ended("Complete", "2026-01-01T09:20:00Z")),
      job("b", ended("Complete", "2026-01-01T09:40:00Z")),
      job("c", ended("Complete")),
      job("d", ended("Failed")),
    ];
    const { succeededAt, events } = planCronJob({ cronJob: cronJob(active("a")), jobs, strays: [], nowMs });
    assert.equal(succeededAt, "2026-01-01T09:40:00Z");
    assert.deepEqual(events, [
      { type: "Normal", reason: "SawCompletedJob", message: "Saw completed job: a, condition: Complete" },
    ]);
  });

  it("counts active jobs as running that are there, whoever owns them", () => {
    const plan = (concurrencyPolicy: string, stray: Job) =>
      planCronJob({
        cronJob: cronJob(active("stray"), { concurrencyPolicy }),
        jobs: [],
        strays: [stray],
        nowMs,
      });
    const forbidden = plan("Forbid", job("stray"));
    assert.deepEqual([forbidden.startAtMs, forbidden.ended], [undefined, []]);
    assert.deepEqual(
      forbidden.events.map(({ reason }) => reason),
      ["JobAlreadyActive"],
    );
    assert.deepEqual(plan("Replace", job("stray")).replace, [job("stray")]);
    const over = plan("Forbid", job("stray", ended("Complete")));
    assert.deepEqual([over.startAtMs, over.ended.length], [dueMs, 1]);
  });

  it("tells of jobs that are gone, and of those that it did not start", () => {
    const { ended: gone, events } = planCronJob({
      cronJob: cronJob(active("gone")),
      jobs: [job("new")],
      strays: [],
      nowMs,
    });
    assert.deepEqual(gone, [{ uid: "gone", job: undefined }]);
    assert.deepEqual(
      events.map(({ reason, message }) => `${reason} ${message}`),
      [
        "UnexpectedJob Saw a job that the controller did not create or forgot: new",
        "MissingJob Active job went missing: gone",
      ],
    );
  });

  it("follows a schedule of old by the clocks that it names, and says that it should not", () => {
    // Eleven in Berlin is ten here.
    const one = cronJob({}, { schedule: "CRON_TZ=Europe/Berlin 0 11 * * *" });
    const { startAtMs, events, recheckMs } = planCronJob({ cronJob: one, jobs: [], strays: [], nowMs });
    assert.equal(startAtMs, dueMs);
    assert.equal(nowMs + (recheckMs ?? 0) - 100, dueMs + 86_400_000);
    const message =
      'CRON_TZ or TZ used in schedule "CRON_TZ=Europe/Berlin 0 11 * * *" is not officially supported, see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details';
    assert.deepEqual(events, [{ type: "Warning", reason: "UnsupportedSchedule", message }]);
  });
});
