import assert from "node:assert/strict";
import { test } from "node:test";
import { Pods, ReplicationControllers } from "@skiff/api";
import { TestCluster } from "@skiff/testing";

test("a replication controller keeps its pods, adopts and lets go", async () => {
  await using cluster = await TestCluster.start();
  const { client, signal } = cluster;
  const ref = { namespace: "default", name: "web" };
  const template = { metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "web", image: "web" }] } };
  await client.create(
    Pods,
    { metadata: { name: "orphan", ...template.metadata, namespace: "default" }, spec: template.spec },
    { signal },
  );
  await client.create(ReplicationControllers, { metadata: ref, spec: { replicas: 2, template } }, { signal });
  const pods = async () => (await client.list(Pods, { namespace: "default", signal })).items;
  await cluster.eventually(async () => {
    const { status } = await client.get(ReplicationControllers, ref, { signal });
    assert.deepEqual(status, {
      replicas: 2,
      fullyLabeledReplicas: 2,
      readyReplicas: 2,
      availableReplicas: 2,
      observedGeneration: 1,
    });
  });
  const names = (await pods()).map(({ metadata }) => metadata.name);
  assert.ok(names.includes("orphan") && names.length === 2, names.join());
  await client.patch(
    Pods,
    { namespace: "default", name: "orphan" },
    { metadata: { labels: { app: "other" } } },
    { type: "merge", signal },
  );
  await cluster.eventually(async () => {
    const all = await pods();
    assert.equal(all.length, 3);
    assert.equal(all.find(({ metadata }) => metadata.name === "orphan")?.metadata.ownerReferences, undefined);
  });
});
