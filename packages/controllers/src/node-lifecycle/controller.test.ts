import assert from "node:assert/strict";
import { test } from "node:test";
import { Nodes, Pods, podReady } from "@skiff/api";
import { TestCluster } from "@skiff/testing";
import { Web } from "../fixtures/workloads.ts";
import { nodeCondition } from "./plan.ts";

test("a silent node is lost: marked, tainted, its pods not ready, evicted after five minutes; it may come back", async () => {
  await using cluster = await TestCluster.start({ nodes: 2 });
  const { client, signal } = cluster;
  const web = new Web(cluster);
  await web.create({ replicas: 6 });
  await web.rolledOut();
  const [lost] = cluster.nodes;
  assert.ok(lost);
  const onLost = async () => (await web.pods()).filter(({ spec }) => spec.nodeName === lost.name);
  assert.ok((await onLost()).length > 0);
  lost.disconnect();
  await cluster.advance(35_000);
  const before = await client.get(Nodes, { name: lost.name }, { signal });
  assert.equal(nodeCondition(before, "Ready")?.status, "True");
  await cluster.advance(20_000);
  const node = await client.get(Nodes, { name: lost.name }, { signal });
  const ready = nodeCondition(node, "Ready");
  assert.equal(
    `${ready?.status} ${ready?.reason} ${ready?.message}`,
    "Unknown NodeStatusUnknown Kubelet stopped posting node status.",
  );
  assert.deepEqual((node.spec.taints ?? []).map(({ key, effect }) => `${key}:${effect}`).sort(), [
    "node.kubernetes.io/unreachable:NoExecute",
    "node.kubernetes.io/unreachable:NoSchedule",
  ]);
  assert.ok((await onLost()).every((pod) => !podReady(pod)));
  await cluster.advance(240_000);
  assert.ok((await onLost()).every(({ metadata }) => metadata.deletionTimestamp === undefined));
  await cluster.advance(80_000);
  assert.ok((await onLost()).every(({ metadata }) => metadata.deletionTimestamp !== undefined));
  assert.equal((await web.get()).status.availableReplicas, 6);
  lost.reconnect();
  await cluster.eventually(async () => {
    assert.deepEqual((await client.get(Nodes, { name: lost.name }, { signal })).spec.taints ?? [], []);
    assert.deepEqual(await onLost(), []);
  });
});

test("when no node is left that is ready, nobody is evicted", async () => {
  await using cluster = await TestCluster.start({ nodes: 1 });
  const { client, signal } = cluster;
  const web = new Web(cluster);
  await web.create();
  await web.rolledOut();
  cluster.nodes[0]?.disconnect();
  await cluster.advance(600_000);
  const { spec } = await client.get(Nodes, { name: "node-1" }, { signal });
  assert.deepEqual(
    (spec.taints ?? []).map(({ effect }) => effect),
    ["NoSchedule"],
  );
  assert.ok((await web.pods()).every(({ metadata }) => metadata.deletionTimestamp === undefined));
});

test("pods of a node that was removed are given up", async () => {
  await using cluster = await TestCluster.start({ nodes: 2 });
  const { client, signal } = cluster;
  const web = new Web(cluster);
  await web.create({ replicas: 6 });
  await web.rolledOut();
  cluster.nodes[0]?.disconnect();
  await client.delete(Nodes, { name: "node-1" }, { signal });
  await cluster.advance(60_000);
  const pods = await client.list(Pods, { namespace: "default", signal });
  assert.deepEqual([...new Set(pods.items.map(({ spec }) => spec.nodeName))], ["node-2"]);
  assert.equal((await web.get()).status.availableReplicas, 6);
});

test("nodes that are lost together are emptied one after the other, and none while too many are lost", async () => {
  await using cluster = await TestCluster.start({ nodes: 6 });
  const { client, signal } = cluster;
  const emptied = async () => {
    const { items } = await client.list(Nodes, { signal });
    return items.filter(({ spec }) => spec.taints?.some(({ effect }) => effect === "NoExecute")).length;
  };
  for (const node of cluster.nodes.slice(0, 2)) node.disconnect();
  await cluster.advance(45_000);
  assert.equal(await emptied(), 1);
  await cluster.advance(11_000);
  assert.equal(await emptied(), 2);
  for (const node of cluster.nodes.slice(2, 4)) node.disconnect();
  await cluster.advance(300_000);
  assert.equal(await emptied(), 3, "with the third, half are lost; with the fourth, two thirds: too many");
  for (const node of cluster.nodes.slice(2, 4)) node.reconnect();
  await cluster.advance(60_000);
  assert.equal(await emptied(), 2);
});

test("a node that never told how it is, beside one that is ready, is waited for without turning in circles", async () => {
  await using cluster = await TestCluster.start({ nodes: 1 });
  const { client, signal } = cluster;
  await client.create(Nodes, { metadata: { name: "mute" }, spec: {} }, { signal });
  // Time would not move on.
  await cluster.advance(35_000);
  const still = await client.get(Nodes, { name: "mute" }, { signal });
  assert.equal(nodeCondition(still, "Ready"), undefined);
  await cluster.advance(20_000);
  const marked = await client.get(Nodes, { name: "mute" }, { signal });
  assert.equal(nodeCondition(marked, "Ready")?.reason, "NodeStatusNeverUpdated");
});
