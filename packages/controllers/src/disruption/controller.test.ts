import assert from "node:assert/strict";
import { test } from "node:test";
import { DaemonSets, Events, type PodDisruptionBudgetSpec, PodDisruptionBudgets, Pods, StatusError } from "@skiff/api";
import { TestCluster } from "@skiff/testing";
import { Web } from "../fixtures/workloads.ts";

const ref = { namespace: "default", name: "web" };
const selector = { matchLabels: { app: "web" } };

const protect = ({ client, signal }: TestCluster, spec: PodDisruptionBudgetSpec) =>
  client.create(PodDisruptionBudgets, { metadata: { ...ref }, spec: { selector, ...spec } }, { signal });

const allowed = (cluster: TestCluster, disruptionsAllowed: number) =>
  cluster.eventually(async () => {
    const { status } = await cluster.client.get(PodDisruptionBudgets, ref, { signal: cluster.signal });
    assert.equal(status.disruptionsAllowed, disruptionsAllowed, JSON.stringify(status));
    return status;
  });

const evict = ({ client, signal }: TestCluster, name: string) =>
  client.createSubresource(Pods, { namespace: "default", name }, "eviction", { metadata: { name } }, { signal });

test("as many evictions as the budget allows, and more once others are ready", async () => {
  await using cluster = await TestCluster.start();
  const web = new Web(cluster);
  await web.create({ replicas: 4 });
  await web.rolledOut();
  await protect(cluster, { maxUnavailable: 1 });
  const status = await allowed(cluster, 1);
  assert.deepEqual([status.expectedPods, status.desiredHealthy, status.observedGeneration], [4, 3, 1]);
  const [first, second] = await web.pods();
  assert.ok(first && second);
  await evict(cluster, first.metadata.name);
  await assert.rejects(evict(cluster, second.metadata.name), (error) => {
    assert.ok(error instanceof StatusError);
    assert.equal(error.code, 429);
    assert.equal(error.status.details?.causes?.[0]?.reason, "DisruptionBudget");
    return true;
  });
  await allowed(cluster, 1);
  await evict(cluster, second.metadata.name);
  await web.patch({ replicas: 8 });
  await cluster.eventually(async () => {
    const { status } = await cluster.client.get(PodDisruptionBudgets, ref, { signal: cluster.signal });
    assert.deepEqual([status.expectedPods, status.currentHealthy, status.disruptionsAllowed], [8, 8, 1]);
  });
});

test("what has no scale is told", async () => {
  await using cluster = await TestCluster.start();
  const { client, signal } = cluster;
  await client.create(
    DaemonSets,
    {
      metadata: { ...ref },
      spec: {
        selector,
        template: { metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "c", image: "i" }] } },
      },
    },
    { signal },
  );
  await protect(cluster, { maxUnavailable: 1 });
  await cluster.eventually(async () => {
    const { status } = await client.get(PodDisruptionBudgets, ref, { signal });
    assert.equal(status.conditions?.[0]?.reason, "SyncFailed");
    assert.equal(status.conditions?.[0]?.message, "daemonsets.apps does not implement the scale subresource");
  });
  await cluster.advance(1_000);
  const { items } = await client.list(Events, { namespace: "default", signal });
  assert.ok(items.some(({ reason }) => reason === "CalculateExpectedPodCountFailed"));
});
