import assert from "node:assert/strict";
import { test } from "node:test";
import { type Job, type JobSpec, Jobs, type New, type Pod, Pods } from "@skiff/api";
import { type PodScript, TestCluster } from "@skiff/testing";

const ref = { namespace: "default", name: "work" };

const jobOf = (spec: Partial<JobSpec> = {}): New<Job> => ({
  metadata: { ...ref },
  spec: {
    template: { spec: { restartPolicy: "Never", containers: [{ name: "work", image: "work" }] } },
    ...spec,
  },
});

const ends = (exitCode: number): PodScript => ({ kind: "ends", startMs: 200, endMs: 500, exitCode });
const indexOf = ({ metadata }: Pod) => metadata.annotations?.["batch.kubernetes.io/job-completion-index"];

async function finished(cluster: TestCluster, type: "Complete" | "Failed", withinMs = 300_000): Promise<Job> {
  const { client, signal } = cluster;
  return await cluster.eventually(
    async () => {
      const job = await client.get(Jobs, ref, { signal });
      const held = job.status.conditions?.some((condition) => condition.type === type && condition.status === "True");
      assert.ok(held, JSON.stringify(job.status));
      return job;
    },
    { withinMs },
  );
}

const podsOf = async ({ client, signal }: TestCluster) =>
  (await client.list(Pods, { namespace: "default", signal })).items;

test("runs to completion, counts each pod once, and lets all pods go", async () => {
  await using cluster = await TestCluster.start({ scripts: () => ends(0) });
  await cluster.client.create(Jobs, jobOf({ completions: 5, parallelism: 2 }), { signal: cluster.signal });
  const { status } = await finished(cluster, "Complete");
  const { succeeded, failed, active, ready, terminating, uncountedTerminatedPods } = status;
  assert.deepEqual(
    { succeeded, failed, active, ready, terminating, uncountedTerminatedPods },
    { succeeded: 5, failed: undefined, active: undefined, ready: 0, terminating: 0, uncountedTerminatedPods: {} },
  );
  const pods = await podsOf(cluster);
  assert.equal(pods.length, 5);
  assert.ok(pods.every(({ metadata }) => metadata.finalizers === undefined));
});

test("fails after as many failures as it may have, more and more slowly", async () => {
  await using cluster = await TestCluster.start({ scripts: () => ends(1) });
  const begunMs = cluster.clock.now();
  await cluster.client.create(Jobs, jobOf({ backoffLimit: 2 }), { signal: cluster.signal });
  const { status } = await finished(cluster, "Failed");
  assert.equal(status.failed, 3);
  assert.equal(status.conditions?.find(({ type }) => type === "Failed")?.reason, "BackoffLimitExceeded");
  // 10 s after the first, 20 s after the second.
  assert.ok(cluster.clock.now() - begunMs >= 30_000);
});

test("each index has its pod, its host and its number", async () => {
  await using cluster = await TestCluster.start({ scripts: () => ends(0) });
  const spec = { completions: 3, parallelism: 3, completionMode: "Indexed" };
  await cluster.client.create(Jobs, jobOf(spec), { signal: cluster.signal });
  const { status } = await finished(cluster, "Complete");
  assert.deepEqual([status.completedIndexes, status.succeeded], ["0-2", 3]);
  for (const pod of await podsOf(cluster)) {
    const index = indexOf(pod);
    assert.equal(pod.spec.hostname, `work-${index}`);
    assert.match(pod.metadata.name, new RegExp(`^work-${index}-[a-z0-9]{5}$`));
    assert.equal(pod.spec.containers[0]?.env?.[0]?.name, "JOB_COMPLETION_INDEX");
  }
});

test("an index that always fails is given up, the others go on", async () => {
  await using cluster = await TestCluster.start({ scripts: (pod) => ends(indexOf(pod) === "1" ? 1 : 0) });
  const spec = { completions: 3, parallelism: 3, completionMode: "Indexed", backoffLimitPerIndex: 1 };
  await cluster.client.create(Jobs, jobOf(spec), { signal: cluster.signal });
  const { status } = await finished(cluster, "Failed");
  assert.deepEqual([status.completedIndexes, status.failedIndexes, status.failed], ["0,2", "1", 2]);
  assert.equal(status.conditions?.find(({ type }) => type === "Failed")?.reason, "FailedIndexes");
});

test("suspended and resumed", async () => {
  await using cluster = await TestCluster.start();
  const { client, signal } = cluster;
  await client.create(Jobs, jobOf({ suspend: true }), { signal });
  await cluster.advance(2_000);
  const suspended = await client.get(Jobs, ref, { signal });
  assert.equal(suspended.status.startTime, undefined);
  assert.equal(suspended.status.conditions?.[0]?.reason, "JobSuspended");
  const suspend = (value: boolean) => client.patch(Jobs, ref, { spec: { suspend: value } }, { type: "merge", signal });
  await suspend(false);
  await cluster.eventually(async () => assert.equal((await client.get(Jobs, ref, { signal })).status.ready, 1));
  await suspend(true);
  await cluster.eventually(async () => {
    assert.deepEqual(await podsOf(cluster), []);
    const { status } = await client.get(Jobs, ref, { signal });
    assert.deepEqual([status.active, status.conditions?.[0]?.status], [undefined, "True"]);
    assert.equal(status.startTime, undefined);
  });
  await cluster.advance(5_000);
  await suspend(false);
  await cluster.eventually(async () => {
    const { status } = await client.get(Jobs, ref, { signal });
    assert.deepEqual([status.ready, status.conditions?.[0]?.status], [1, "False"]);
  });
});

test("too long active; a time to live after the end", async () => {
  await using cluster = await TestCluster.start();
  const { client, signal } = cluster;
  await client.create(Jobs, jobOf({ activeDeadlineSeconds: 30, ttlSecondsAfterFinished: 60 }), { signal });
  const { status } = await finished(cluster, "Failed");
  assert.equal(status.conditions?.find(({ type }) => type === "Failed")?.reason, "DeadlineExceeded");
  await cluster.eventually(
    async () => {
      assert.deepEqual((await client.list(Jobs, { namespace: "default", signal })).items, []);
      assert.deepEqual(await podsOf(cluster), []);
    },
    { withinMs: 120_000 },
  );
});

test("deleting a job takes its pods along, counted or not", async () => {
  await using cluster = await TestCluster.start();
  const { client, signal } = cluster;
  await client.create(Jobs, jobOf({ completions: 3, parallelism: 3 }), { signal });
  await cluster.eventually(async () => assert.equal((await podsOf(cluster)).length, 3));
  await client.delete(Jobs, ref, { propagationPolicy: "Background", signal });
  await cluster.eventually(async () => assert.deepEqual(await podsOf(cluster), []));
});

test("a pod whose labels are taken away is let go, and one that is taken is held", async () => {
  await using cluster = await TestCluster.start();
  const { client, signal } = cluster;
  await client.create(Jobs, jobOf({ completions: 1 }), { signal });
  const [pod] = await cluster.eventually(async () => {
    const pods = await podsOf(cluster);
    assert.equal(pods.length, 1);
    return pods;
  });
  assert.ok(pod !== undefined);
  const held = ({ metadata }: Pod) => [metadata.finalizers?.join(), metadata.ownerReferences?.length];
  assert.deepEqual(held(pod), ["batch.kubernetes.io/job-tracking", 1]);
  const relabel = (labels: Readonly<Record<string, string | null>>) =>
    client.patch(Pods, pod.metadata, { metadata: { labels } }, { type: "merge", signal });
  const labels = pod.metadata.labels ?? {};
  await relabel(Object.fromEntries(Object.keys(labels).map((key) => [key, null])));
  const now = () => client.get(Pods, pod.metadata, { signal });
  await cluster.eventually(async () => assert.deepEqual(held(await now()), [undefined, undefined]));
  await relabel(labels);
  await cluster.eventually(async () => assert.deepEqual(held(await now()), held(pod)));
});

test("pods of a job that is deleted without them are let go", async () => {
  await using cluster = await TestCluster.start();
  const { client, signal } = cluster;
  await client.create(Jobs, jobOf({ completions: 3, parallelism: 3 }), { signal });
  await cluster.eventually(async () => assert.equal((await podsOf(cluster)).length, 3));
  await client.delete(Jobs, ref, { propagationPolicy: "Orphan", signal });
  await cluster.eventually(async () => {
    const pods = await podsOf(cluster);
    assert.equal(pods.length, 3);
    assert.ok(pods.every(({ metadata }) => !metadata.finalizers?.length && !metadata.ownerReferences?.length));
  });
});

const bad = { conflicts: 0.2, unavailable: 0.1, droppedWatches: 0.05, expiredWatches: 0.05 };

test("counts are right whatever goes wrong on the way", async () => {
  await using cluster = await TestCluster.start({ nodes: 3, seed: 7, faults: bad, scripts: () => ends(0) });
  await cluster.client.create(Jobs, jobOf({ completions: 40, parallelism: 10 }), { signal: cluster.signal });
  const { status } = await finished(cluster, "Complete", 3_600_000);
  assert.equal(status.succeeded, 40);
});
