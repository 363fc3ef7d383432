import assert from "node:assert/strict";
import { test } from "node:test";
import { controllerOf, Pods, ReplicaSets } from "@skiff/api";
import { TestCluster } from "@skiff/testing";
import { Web } from "../fixtures/workloads.ts";

test("a deleted pod is replaced, a relabelled one is let go and another made, an orphan is adopted", async () => {
  await using cluster = await TestCluster.start();
  const { client, signal } = cluster;
  const web = new Web(cluster);
  await web.create();
  await web.rolledOut();
  const [first, second] = await web.pods();
  assert.ok(first && second);
  await client.delete(Pods, first.metadata, { signal });
  await client.patch(Pods, second.metadata, { metadata: { labels: { app: "other" } } }, { type: "merge", signal });
  await cluster.eventually(async () => {
    const pods = await web.pods();
    assert.ok(!pods.some(({ metadata }) => metadata.uid === first.metadata.uid));
    assert.equal(pods.length, 4);
    const released = pods.find(({ metadata }) => metadata.uid === second.metadata.uid);
    assert.equal(released?.metadata.ownerReferences, undefined);
  });
  const [set] = await web.sets();
  assert.ok(set);
  await client.patch(
    Pods,
    second.metadata,
    { metadata: { labels: set.spec.selector.matchLabels ?? {} } },
    { type: "merge", signal },
  );
  await cluster.eventually(async () => {
    const pods = await web.pods();
    assert.equal(pods.length, 3);
    assert.ok(pods.every((pod) => controllerOf(pod)?.uid === set.metadata.uid));
  });
  await cluster.advance(1000);
  const told = await web.events(set.metadata.name);
  assert.ok(
    told.some((text) => /^SuccessfulCreate Created pod: web-[a-z0-9]+-[a-z0-9]{5}$/.test(text)),
    told.join("\n"),
  );
  assert.ok(
    told.some((text) => text.startsWith("SuccessfulDelete Deleted pod: web-")),
    told.join("\n"),
  );
});

test("a pod that cannot be made is told in the status, and no more once it can", async () => {
  await using cluster = await TestCluster.start();
  const { client, signal } = cluster;
  const ref = { namespace: "default", name: "bad" };
  const template = (account: string) => ({
    metadata: { labels: { app: "bad" } },
    spec: { serviceAccountName: account, containers: [{ name: "c", image: "i" }] },
  });
  await client.create(
    ReplicaSets,
    { metadata: ref, spec: { replicas: 2, selector: { matchLabels: { app: "bad" } }, template: template("nobody") } },
    { signal },
  );
  await cluster.eventually(async () => {
    const { status } = await client.get(ReplicaSets, ref, { signal });
    const [condition] = status.conditions ?? [];
    assert.equal(condition?.type, "ReplicaFailure");
    assert.equal(condition?.reason, "FailedCreate");
    assert.match(condition?.message ?? "", /service ?account/i);
  });
  await client.patch(ReplicaSets, ref, { spec: { template: template("default") } }, { type: "merge", signal });
  await cluster.eventually(async () => {
    const { status } = await client.get(ReplicaSets, ref, { signal });
    assert.equal(status.conditions, undefined);
    assert.equal(status.readyReplicas, 2);
  });
});

test("ready pods become available when minReadySeconds have passed", async () => {
  await using cluster = await TestCluster.start();
  const web = new Web(cluster);
  await web.create({ minReadySeconds: 20 });
  await cluster.advance(10_000);
  assert.equal((await web.get()).status.readyReplicas, 3);
  assert.equal((await web.get()).status.availableReplicas, undefined);
  await cluster.advance(15_000);
  assert.equal((await web.get()).status.availableReplicas, 3);
});
