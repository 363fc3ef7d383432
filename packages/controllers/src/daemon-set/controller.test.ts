import assert from "node:assert/strict";
import { test } from "node:test";
import { ControllerRevisions, type DaemonSet, DaemonSets, type New, Nodes, Pods } from "@skiff/api";
import { TestCluster } from "@skiff/testing";

const ref = { namespace: "default", name: "log" };

const logSet = (spec: Partial<DaemonSet["spec"]> = {}): New<DaemonSet> => ({
  metadata: { ...ref },
  spec: {
    selector: { matchLabels: { app: "log" } },
    template: { metadata: { labels: { app: "log" } }, spec: { containers: [{ name: "log", image: "log:1" }] } },
    ...spec,
  },
});

const places = async (cluster: TestCluster) => {
  const { items } = await cluster.client.list(Pods, { namespace: "default", signal: cluster.signal });
  return items.map(({ spec }) => `${spec.nodeName} ${spec.containers[0]?.image}`).sort();
};

const setImage = ({ client, signal }: TestCluster, image: string) =>
  client.patch(
    DaemonSets,
    ref,
    { spec: { template: { spec: { containers: [{ name: "log", image }] } } } },
    { type: "strategic", signal },
  );

const rolledOut = (cluster: TestCluster, nodes: number) =>
  cluster.eventually(
    async () => {
      const { metadata, status } = await cluster.client.get(DaemonSets, ref, { signal: cluster.signal });
      const { observedGeneration, updatedNumberScheduled, numberAvailable, desiredNumberScheduled } = status;
      assert.equal(observedGeneration, metadata.generation);
      assert.deepEqual(
        [desiredNumberScheduled, updatedNumberScheduled ?? 0, numberAvailable ?? 0],
        Array(3).fill(nodes),
      );
      assert.equal((await places(cluster)).length, nodes);
    },
    { withinMs: 120_000 },
  );

test("a pod on every node, cordoned ones too; nodes that fit no longer lose theirs", async () => {
  await using cluster = await TestCluster.start({ nodes: 3 });
  const { client, signal } = cluster;
  await client.patch(Nodes, { name: "node-3" }, { spec: { unschedulable: true } }, { type: "merge", signal });
  await client.create(DaemonSets, logSet(), { signal });
  await rolledOut(cluster, 3);
  assert.deepEqual(await places(cluster), ["node-1 log:1", "node-2 log:1", "node-3 log:1"]);
  const nodeSelector = { disk: "ssd" };
  await client.patch(
    DaemonSets,
    ref,
    { spec: { template: { spec: { nodeSelector } } } },
    { type: "strategic", signal },
  );
  await rolledOut(cluster, 0);
  await client.patch(Nodes, { name: "node-2" }, { metadata: { labels: nodeSelector } }, { type: "merge", signal });
  await rolledOut(cluster, 1);
  assert.deepEqual(await places(cluster), ["node-2 log:1"]);
});

test("an update that cannot work stops at one node; going back restarts nothing else", async () => {
  await using cluster = await TestCluster.start({ nodes: 4 });
  const { client, signal } = cluster;
  await client.create(DaemonSets, logSet(), { signal });
  await rolledOut(cluster, 4);
  const uids = async () =>
    (await client.list(Pods, { namespace: "default", signal })).items.map(({ metadata }) => metadata.uid);
  const before = new Set(await uids());
  await setImage(cluster, "nosuch:1");
  await cluster.advance(60_000);
  assert.equal((await places(cluster)).filter((place) => place.endsWith("nosuch:1")).length, 1);
  await setImage(cluster, "log:1");
  await rolledOut(cluster, 4);
  assert.equal((await uids()).filter((uid) => before.has(uid)).length, 3);
  const { items } = await client.list(ControllerRevisions, { namespace: "default", signal });
  assert.deepEqual(items.map(({ revision }) => revision).sort(), [2, 3]);
});

test("with surge the new pod comes first", async () => {
  await using cluster = await TestCluster.start({ nodes: 2 });
  const { client, signal } = cluster;
  const updateStrategy = { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } };
  await client.create(DaemonSets, logSet({ updateStrategy }), { signal });
  await rolledOut(cluster, 2);
  // Age is told in whole seconds.
  await cluster.advance(2_000);
  await setImage(cluster, "log:2");
  let least = 2;
  await cluster.eventually(async () => {
    const { status } = await client.get(DaemonSets, ref, { signal });
    least = Math.min(least, status.numberAvailable ?? 0);
    assert.deepEqual(await places(cluster), ["node-1 log:2", "node-2 log:2"]);
  });
  assert.equal(least, 2);
});

test("a pod that fails comes again, less and less often", async () => {
  await using cluster = await TestCluster.start({
    scripts: () => ({ kind: "ends", startMs: 10, endMs: 20, exitCode: 1 }),
  });
  const { client, signal } = cluster;
  const spec = { containers: [{ name: "log", image: "log:1" }] };
  await client.create(DaemonSets, logSet({ template: { metadata: { labels: { app: "log" } }, spec } }), { signal });
  const seen = new Set<string>();
  for (let second = 0; second < 60; second++) {
    const { items } = await client.list(Pods, { namespace: "default", signal });
    for (const { metadata } of items) seen.add(metadata.uid);
    await cluster.advance(1000);
  }
  assert.ok(seen.size >= 4 && seen.size <= 8, `${seen.size} pods in a minute`);
});
