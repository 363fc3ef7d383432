import assert from "node:assert/strict";
import { test } from "node:test";
import { type Job, Jobs, type New } from "@skiff/api";
import { type PodScripts, TestCluster } from "@skiff/testing";

const hourMs = 60 * 60_000;
const ends: PodScripts = () => ({ kind: "ends", startMs: 100, endMs: 1000, exitCode: 0 });
const job = (name: string, ttl: number | undefined): New<Job> => ({
  metadata: { name, namespace: "default" },
  spec: {
    template: { spec: { restartPolicy: "Never", containers: [{ name: "main", image: "i" }] } },
    ...(ttl === undefined ? {} : { ttlSecondsAfterFinished: ttl }),
  },
});

test("each Job goes when its time is over, not before, and one without a time stays", async () => {
  await using cluster = await TestCluster.start({ scripts: ends });
  const { client, signal } = cluster;
  const create = (name: string, ttl: number | undefined) => client.create(Jobs, job(name, ttl), { signal });
  await create("now", 0);
  for (const hour of [1, 3, 6]) await create(`hour-${hour}`, hour * 60 * 60);
  await create("stays", undefined);
  await create("late", undefined);
  const names = async () => (await client.list(Jobs, { signal })).items.map(({ metadata }) => metadata.name).sort();
  await cluster.advance(60_000);
  assert.deepEqual(await names(), ["hour-1", "hour-3", "hour-6", "late", "stays"]);
  await cluster.advance(hourMs - 2 * 60_000);
  assert.ok((await names()).includes("hour-1"));
  await cluster.advance(2 * 60_000);
  assert.deepEqual(await names(), ["hour-3", "hour-6", "late", "stays"]);
  const late = { namespace: "default", name: "late" };
  await client.patch(Jobs, late, { spec: { ttlSecondsAfterFinished: 60 } }, { type: "merge", signal });
  await client.patch(
    Jobs,
    { ...late, name: "hour-3" },
    { spec: { ttlSecondsAfterFinished: null } },
    { type: "merge", signal },
  );
  await cluster.advance(6 * hourMs);
  assert.deepEqual(await names(), ["hour-3", "stays"]);
});
