import assert from "node:assert/strict";
import { test } from "node:test";
import { Deployments, isPodTerminal, Leases, Nodes, Pods } from "@skiff/api";
import { systemClock } from "@skiff/base";
import { createClient, httpsTransport, loadKubeconfig } from "@skiff/client";
import { TestCluster } from "./index.ts";

const namespace = "default";

const deployment = {
  metadata: { name: "web", namespace },
  spec: {
    replicas: 3,
    selector: { matchLabels: { app: "web" } },
    template: { metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "web", image: "skiff/hello:1" }] } },
  },
};

test("nodes are ready, deployments run, a day passes quickly", async () => {
  await using cluster = await TestCluster.start({ nodes: 3 });
  const { client, signal } = cluster;
  assert.equal((await client.list(Nodes, { signal })).items.length, 3);
  await client.create(Deployments, deployment, { signal });
  await cluster.eventually(async () => {
    const { status } = await client.get(Deployments, deployment.metadata, { signal });
    assert.equal(status.availableReplicas, 3);
  });
  const { items } = await client.list(Pods, { namespace, signal });
  assert.ok(items.every(({ spec }) => cluster.nodes.some(({ name }) => name === spec.nodeName)));
  const startMs = cluster.clock.now();
  await cluster.advance(3_600_000);
  assert.equal(cluster.clock.now() - startMs, 3_600_000);
  const nodes = await client.list(Nodes, { signal });
  assert.ok(nodes.items.every(({ spec }) => spec.taints === undefined || spec.taints.length === 0));
});

test("pods do as their script says", async () => {
  await using cluster = await TestCluster.start({
    scripts: () => ({ kind: "ends", startMs: 100, endMs: 5_000, exitCode: 3 }),
  });
  const { client, signal } = cluster;
  const pod = {
    metadata: { name: "once", namespace },
    spec: { restartPolicy: "Never", containers: [{ name: "c", image: "i" }] },
  };
  await client.create(Pods, pod, { signal });
  const { status } = await cluster.eventually(async () => {
    const found = await client.get(Pods, pod.metadata, { signal });
    assert.ok(isPodTerminal(found));
    return found;
  });
  assert.equal(status.phase, "Failed");
  assert.equal(status.containerStatuses?.[0]?.state?.terminated?.exitCode, 3);
});

test("the same seed gives the same run", async () => {
  const run = async (seed: number) => {
    await using cluster = await TestCluster.start({ nodes: 2, seed });
    const { client, signal } = cluster;
    await client.create(Deployments, deployment, { signal });
    await cluster.advance(20_000);
    const { items } = await client.list(Pods, { namespace, signal });
    const lease = await client.get(Leases, { namespace: "kube-node-lease", name: "node-1" }, { signal });
    return [...items.map(({ metadata }) => `${metadata.name} ${metadata.uid}`), lease.spec.renewTime];
  };
  const first = await run(7);
  assert.deepEqual(await run(7), first);
  assert.notDeepEqual(await run(8), first);
});

test("what never becomes true fails with the probe's own words", async () => {
  await using cluster = await TestCluster.start();
  const probe = () => assert.equal(1, 2, "one is not two");
  await assert.rejects(() => cluster.eventually(probe, { withinMs: 1000 }), /one is not two/);
});

test("work that is not on the clock is given real time to end", async () => {
  await using cluster = await TestCluster.start();
  let written = false;
  const timer = setTimeout(() => {
    written = true;
  }, 300);
  assert.equal(await cluster.eventually(() => written, { withinMs: 1000 }), true);
  clearTimeout(timer);
});

test("a cluster that listens is reached from outside with its kubeconfig", async () => {
  await using cluster = await TestCluster.start();
  const { kubeconfig } = await cluster.listen();
  await using transport = httpsTransport({ ...loadKubeconfig(kubeconfig), clock: systemClock });
  const { items } = await createClient(transport).list(Nodes, { signal: cluster.signal });
  assert.deepEqual(
    items.map(({ metadata }) => metadata.name),
    ["node-1"],
  );
});
