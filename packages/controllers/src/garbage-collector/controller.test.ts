import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigMaps, Deployments, ReplicaSets } from "@skiff/api";
import { TestCluster } from "@skiff/testing";
import { Web, web } from "../fixtures/workloads.ts";

async function gone(cluster: TestCluster): Promise<void> {
  const { client, signal } = cluster;
  await cluster.eventually(async () => {
    assert.deepEqual(await new Web(cluster).pods(), []);
    const sets = await client.list(ReplicaSets, { signal });
    const deployments = await client.list(Deployments, { signal });
    assert.equal(sets.items.length + deployments.items.length, 0);
  });
}

test("in the background the owner goes at once, what it owns follows", async () => {
  await using cluster = await TestCluster.start();
  const { client, signal } = cluster;
  const fixture = new Web(cluster);
  await fixture.create();
  await fixture.rolledOut();
  await client.delete(Deployments, web, { propagationPolicy: "Background", signal });
  assert.equal((await client.list(Deployments, { signal })).items.length, 0);
  assert.equal((await fixture.pods()).length, 3);
  await gone(cluster);
});

test("in the foreground the owner goes last", async () => {
  await using cluster = await TestCluster.start();
  const { client, signal } = cluster;
  const fixture = new Web(cluster);
  await fixture.create();
  await fixture.rolledOut();
  const order: string[] = [];
  const note = (name: string) => (change: { readonly kind: string }) => {
    if (change.kind === "deleted") order.push(name);
  };
  cluster.informers.for(Deployments).onChange(note("Deployment"));
  cluster.informers.for(ReplicaSets).onChange(note("ReplicaSet"));
  await cluster.advance(0);
  await client.delete(Deployments, web, { propagationPolicy: "Foreground", signal });
  const { metadata } = await fixture.get();
  assert.deepEqual(metadata.finalizers, ["foregroundDeletion"]);
  await gone(cluster);
  assert.deepEqual(order, ["ReplicaSet", "Deployment"]);
});

test("orphaned dependents stay and have no owner", async () => {
  await using cluster = await TestCluster.start();
  const { client, signal } = cluster;
  const fixture = new Web(cluster);
  await fixture.create();
  await fixture.rolledOut();
  await client.delete(Deployments, web, { propagationPolicy: "Orphan", signal });
  await cluster.eventually(async () => assert.equal((await client.list(Deployments, { signal })).items.length, 0));
  await cluster.advance(30_000);
  const [set] = await fixture.sets();
  assert.equal(set?.metadata.ownerReferences, undefined);
  assert.equal((await fixture.pods()).length, 3);
});

test("an object lives while one of its owners does; one whose owner never was goes", async () => {
  await using cluster = await TestCluster.start();
  const { client, signal } = cluster;
  const namespace = "default";
  const owner = (name: string) => client.create(ConfigMaps, { metadata: { name, namespace } }, { signal });
  const [a, b] = [await owner("a"), await owner("b")];
  const reference = ({ metadata: { name, uid } }: { metadata: { name: string; uid: string } }) => ({
    apiVersion: "v1",
    kind: "ConfigMap",
    name,
    uid,
  });
  const owned = { name: "owned", namespace, ownerReferences: [reference(a), reference(b)] };
  const lost = { name: "lost", namespace, ownerReferences: [{ ...reference(a), uid: "no-such-uid" }] };
  await client.create(ConfigMaps, { metadata: owned }, { signal });
  await client.create(ConfigMaps, { metadata: lost }, { signal });
  const names = async () =>
    (await client.list(ConfigMaps, { namespace, signal })).items
      .map(({ metadata }) => metadata.name)
      .filter((name) => !name.startsWith("kube-"));
  await cluster.eventually(async () => assert.deepEqual(await names(), ["a", "b", "owned"]));
  await client.delete(ConfigMaps, a.metadata, { signal });
  await cluster.eventually(async () => {
    const { metadata } = await client.get(ConfigMaps, owned, { signal });
    assert.deepEqual(metadata.ownerReferences, [reference(b)]);
  });
  await client.delete(ConfigMaps, b.metadata, { signal });
  await cluster.eventually(async () => assert.deepEqual(await names(), []));
});
