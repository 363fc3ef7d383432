import assert from "node:assert/strict";
import { test } from "node:test";
import { Jobs, Nodes } from "@skiff/api";
import { deepFreeze } from "@skiff/base";
import { TestCluster } from "./test-cluster.ts";

const job = {
  metadata: { name: "j", namespace: "default" },
  spec: { suspend: true, template: { spec: { restartPolicy: "Never", containers: [{ name: "a", image: "i" }] } } },
};

test("a status that comes with a cached object's own parts is completed, and these stay", async () => {
  await using cluster = await TestCluster.start();
  const { client, signal } = cluster;
  const node = await client.get(Nodes, { name: "node-1" }, { signal });
  const told = await client.updateStatus(Nodes, { ...node, status: { capacity: { cpu: "9" } } }, { signal });
  assert.deepEqual(told.status.allocatable, { cpu: "9" });
  assert.equal(told.spec, node.spec, "nothing of it was copied");
});

test("of frozen parts that are not what is stored nothing is taken over, nor do they stand in the way", async () => {
  await using cluster = await TestCluster.start();
  const { client, signal } = cluster;
  await client.create(Jobs, job, { signal });
  await cluster.advance(1_000);
  const stored = await client.get(Jobs, job.metadata, { signal });
  // Without what defaults fill in.
  const spec = deepFreeze({ template: { spec: { containers: [{ name: "b", image: "i" }] } } });
  const status = { ...stored.status, terminating: 0, uncountedTerminatedPods: {} };
  const written = await client.updateStatus(Jobs, { ...stored, spec, status }, { signal });
  assert.deepEqual(written.status, status);
  assert.deepEqual(written.spec, stored.spec);
});
