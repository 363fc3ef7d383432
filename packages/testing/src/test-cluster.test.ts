import assert from "node:assert/strict";
import { test } from "node:test";
import { Deployments, Nodes, Pods } from "@skiff/api";
import { TestCluster } from "./index.ts";

test("a cluster starts, runs a deployment, and ends", async () => {
  const t0 = performance.now();
  await using cluster = await TestCluster.start({ nodes: 3 });
  console.log("start", performance.now() - t0);
  const t1 = performance.now();
  await using _c2 = await TestCluster.start({ nodes: 3 });
  console.log("start 2", performance.now() - t1);
  const { client, signal } = cluster;
  const nodes = await client.list(Nodes, { signal });
  assert.equal(nodes.items.length, 3);
  await client.create(
    Deployments,
    {
      metadata: { name: "web", namespace: "default" },
      spec: {
        replicas: 3,
        selector: { matchLabels: { app: "web" } },
        template: {
          metadata: { labels: { app: "web" } },
          spec: { containers: [{ name: "web", image: "skiff/hello:1" }] },
        },
      },
    },
    { signal },
  );
  await cluster.eventually(async () => {
    const { status } = await client.get(Deployments, { namespace: "default", name: "web" }, { signal });
    assert.equal(status.availableReplicas, 3);
  });
  const pods = await client.list(Pods, { namespace: "default", signal });
  assert.ok(pods.items.every(({ spec }) => cluster.nodes.some(({ name }) => name === spec.nodeName)));
});
