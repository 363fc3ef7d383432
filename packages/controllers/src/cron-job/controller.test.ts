import assert from "node:assert/strict";
import { test } from "node:test";
import { type CronJob, type CronJobSpec, CronJobs, Events, Jobs, type New } from "@skiff/api";
import { TestCluster } from "@skiff/testing";

const ref = { namespace: "default", name: "tick" };
const minuteMs = 60_000;

const cronJobOf = (spec: Partial<CronJobSpec> = {}): New<CronJob> => ({
  metadata: { ...ref },
  spec: {
    schedule: "* * * * *",
    jobTemplate: {
      metadata: { labels: { app: "tick" } },
      spec: { template: { spec: { restartPolicy: "Never", containers: [{ name: "tick", image: "tick" }] } } },
    },
    ...spec,
  },
});

const jobsOf = async ({ client, signal }: TestCluster) =>
  (await client.list(Jobs, { namespace: "default", signal })).items;
const get = ({ client, signal }: TestCluster) => client.get(CronJobs, ref, { signal });
const reasons = async ({ client, signal }: TestCluster) =>
  (await client.list(Events, { namespace: "default", signal })).items
    .filter(({ involvedObject }) => involvedObject.kind === "CronJob")
    .map(({ reason }) => reason);

const short = { scripts: () => ({ kind: "ends", startMs: 100, endMs: 200, exitCode: 0 }) as const };

test("a job each minute, named after its time; old ones go", async () => {
  await using cluster = await TestCluster.start(short);
  await cluster.client.create(CronJobs, cronJobOf({ successfulJobsHistoryLimit: 2 }), { signal: cluster.signal });
  await cluster.advance(5 * minuteMs + 5_000);
  const jobs = await jobsOf(cluster);
  const { status } = await get(cluster);
  const last = Math.floor(cluster.clock.now() / minuteMs);
  assert.deepEqual(
    jobs.map(({ metadata }) => metadata.name),
    [`tick-${last - 1}`, `tick-${last}`],
  );
  assert.deepEqual(jobs[0]?.metadata.labels?.app, "tick");
  assert.equal(Date.parse(status.lastScheduleTime ?? ""), last * minuteMs);
  assert.ok(status.lastSuccessfulTime !== undefined && status.active === undefined);
  assert.ok((await reasons(cluster)).includes("SawCompletedJob"));
});

test("no second job while one runs, or in its place", async () => {
  await using cluster = await TestCluster.start();
  const { client, signal } = cluster;
  await client.create(CronJobs, cronJobOf({ concurrencyPolicy: "Forbid" }), { signal });
  await cluster.advance(3 * minuteMs + 5_000);
  const [first, ...others] = await jobsOf(cluster);
  assert.deepEqual(others, []);
  assert.ok((await reasons(cluster)).includes("JobAlreadyActive"));
  await client.patch(CronJobs, ref, { spec: { concurrencyPolicy: "Replace" } }, { type: "merge", signal });
  await cluster.advance(minuteMs);
  const [second, ...more] = await jobsOf(cluster);
  assert.deepEqual(more, []);
  assert.notEqual(second?.metadata.uid, first?.metadata.uid);
  assert.deepEqual(
    (await get(cluster)).status.active?.map(({ uid }) => uid),
    [second?.metadata.uid],
  );
});

test("a job that somebody takes over still counts, until it ends", async () => {
  await using cluster = await TestCluster.start();
  const { client, signal } = cluster;
  await client.create(CronJobs, cronJobOf({ concurrencyPolicy: "Forbid" }), { signal });
  await cluster.advance(minuteMs + 5_000);
  const [first] = await jobsOf(cluster);
  assert.ok(first);
  await client.patch(Jobs, first.metadata, { metadata: { ownerReferences: null } }, { type: "merge", signal });
  await cluster.advance(2 * minuteMs);
  assert.equal((await jobsOf(cluster)).length, 1);
  assert.ok(!(await reasons(cluster)).includes("MissingJob"));
  await client.delete(Jobs, first.metadata, { propagationPolicy: "Background", signal });
  await cluster.advance(minuteMs);
  assert.equal((await jobsOf(cluster)).length, 1);
  assert.ok((await reasons(cluster)).includes("MissingJob"));
});

test("suspended ones do nothing; what was missed too long ago is told, not made up for", async () => {
  await using cluster = await TestCluster.start(short);
  const { client, signal } = cluster;
  await client.create(CronJobs, cronJobOf({ suspend: true, schedule: "0 * * * *" }), { signal });
  await cluster.advance(150 * minuteMs);
  assert.deepEqual(await jobsOf(cluster), []);
  await client.patch(CronJobs, ref, { spec: { suspend: false } }, { type: "merge", signal });
  await cluster.advance(1_000);
  assert.equal((await jobsOf(cluster)).length, 1, "the last missed time is made up for");
  await client.patch(CronJobs, ref, { spec: { suspend: true } }, { type: "merge", signal });
  await cluster.advance(100 * minuteMs);
  await client.patch(
    CronJobs,
    ref,
    { spec: { suspend: false, startingDeadlineSeconds: 30 } },
    { type: "merge", signal },
  );
  await cluster.advance(1_000);
  assert.equal((await jobsOf(cluster)).length, 1);
});

test("time zones decide what an hour of the day is", async () => {
  await using cluster = await TestCluster.start(short);
  const { client, signal } = cluster;
  await client.create(CronJobs, cronJobOf({ schedule: "0 9 * * *", timeZone: "America/New_York" }), { signal });
  await cluster.advance(24 * 60 * minuteMs);
  const { status } = await get(cluster);
  const hour = new Intl.DateTimeFormat("en-US", { timeZone: "America/New_York", hour: "numeric", hourCycle: "h23" });
  assert.equal(hour.format(Date.parse(status.lastScheduleTime ?? "")), "09");
});
