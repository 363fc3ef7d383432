import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigMaps, Deployments, Events, Pods, ReplicaSets } from "@skiff/api";
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

test("a circle of owners goes as a whole", async () => {
  await using cluster = await TestCluster.start();
  const { client, signal } = cluster;
  const namespace = "default";
  const made = await Promise.all(
    ["a", "b", "c"].map((name) => client.create(ConfigMaps, { metadata: { name, namespace } }, { signal })),
  );
  const place = (at: number) => made[at % made.length]?.metadata ?? { name: "", uid: "" };
  for (const [at] of made.entries()) {
    const { name, uid } = place(at + 1);
    const ownerReferences = [
      { apiVersion: "v1", kind: "ConfigMap", name, uid, controller: true, blockOwnerDeletion: true },
    ];
    const ref = { namespace, name: place(at).name };
    await client.patch(ConfigMaps, ref, { metadata: { ownerReferences } }, { type: "merge", signal });
  }
  await client.delete(ConfigMaps, { namespace, name: "a" }, { propagationPolicy: "Foreground", signal });
  await cluster.eventually(async () => {
    const { items } = await client.list(ConfigMaps, { namespace, signal });
    assert.deepEqual(
      items.map(({ metadata }) => metadata.name).filter((name) => name.length === 1),
      [],
    );
  });
});

test("an owner in another namespace is none, and an event says so", async () => {
  await using cluster = await TestCluster.start();
  const { client, signal } = cluster;
  const owner = await client.create(ConfigMaps, { metadata: { name: "owner", namespace: "kube-public" } }, { signal });
  const { name, uid } = owner.metadata;
  const ownerReferences = [{ apiVersion: "v1", kind: "ConfigMap", name, uid }];
  await client.create(ConfigMaps, { metadata: { name: "owned", namespace: "default", ownerReferences } }, { signal });
  await cluster.eventually(async () => {
    const { items } = await client.list(ConfigMaps, { namespace: "default", signal });
    assert.ok(!items.some(({ metadata }) => metadata.name === "owned"));
    const events = await client.list(Events, { namespace: "default", signal });
    const told = events.items.find(({ reason }) => reason === "OwnerRefInvalidNamespace");
    assert.equal(
      told?.message,
      `ownerRef [v1/ConfigMap, namespace: default, name: owner, uid: ${uid}] does not exist in namespace "default"`,
    );
  });
});

test("a hundred pods go with their owner", async () => {
  await using cluster = await TestCluster.start();
  const { client, signal } = cluster;
  const namespace = "default";
  const owner = await client.create(ConfigMaps, { metadata: { name: "owner", namespace } }, { signal });
  const { name, uid } = owner.metadata;
  const ownerReferences = [{ apiVersion: "v1", kind: "ConfigMap", name, uid, blockOwnerDeletion: true }];
  const pod = (at: number) => ({
    metadata: { name: `p${at}`, namespace, ownerReferences },
    spec: { schedulingGates: [{ name: "example.com/wait" }], containers: [{ name: "c", image: "i" }] },
  });
  await Promise.all(Array.from({ length: 100 }, (_, at) => client.create(Pods, pod(at), { signal })));
  await cluster.advance(0);
  await client.delete(ConfigMaps, { namespace, name }, { propagationPolicy: "Foreground", signal });
  await cluster.eventually(
    async () => {
      assert.equal((await client.list(Pods, { namespace, signal })).items.length, 0);
      const { items } = await client.list(ConfigMaps, { namespace, signal });
      assert.ok(!items.some(({ metadata }) => metadata.name === name));
    },
    { withinMs: 5000 },
  );
});
