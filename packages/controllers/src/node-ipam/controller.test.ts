import assert from "node:assert/strict";
import { test } from "node:test";
import { Events, Nodes } from "@skiff/api";
import { TestCluster } from "@skiff/testing";

const podRanges = {
  clusterCidrs: ["10.42.0.0/22", "fd00:42::/62"],
  maskSizes: [24, 64],
  serviceCidrs: ["10.42.3.0/24"],
};

const start = () => TestCluster.start({ nodes: 0, podRanges });

async function addNode({ client, signal }: TestCluster, name: string, wanted?: string): Promise<void> {
  const annotations = wanted === undefined ? {} : { "skiff.dev/pod-cidr": wanted };
  await client.create(Nodes, { metadata: { name, annotations }, spec: {} }, { signal });
}

async function rangesOf({ client, signal }: TestCluster): Promise<Readonly<Record<string, readonly string[]>>> {
  const { items } = await client.list(Nodes, { signal });
  return Object.fromEntries(items.map(({ metadata, spec }) => [metadata.name, spec.podCIDRs ?? []]));
}

test("each node has its own ranges, one of each family", async () => {
  await using cluster = await start();
  const { client, signal } = cluster;
  for (const name of ["a", "b"]) await addNode(cluster, name);
  await cluster.eventually(async () => {
    const { a = [], b = [] } = await rangesOf(cluster);
    assert.deepEqual([...a, ...b].sort(), ["10.42.0.0/24", "10.42.1.0/24", "fd00:42:0:1::/64", "fd00:42::/64"]);
  });
  const { spec } = await client.get(Nodes, { name: "a" }, { signal });
  assert.equal(spec.podCIDR, spec.podCIDRs?.[0]);
});

test("of nodes that want the same range, one gets it", async () => {
  await using cluster = await start();
  for (const name of ["a", "b"]) await addNode(cluster, name, "10.42.2.0/24");
  await cluster.eventually(async () => {
    const { a = [], b = [] } = await rangesOf(cluster);
    assert.deepEqual([a[0], b[0]].sort(), ["10.42.0.0/24", "10.42.2.0/24"]);
  });
});

test("what a node brings along is given to no other", async () => {
  await using cluster = await start();
  const { client, signal } = cluster;
  await client.create(Nodes, { metadata: { name: "own" }, spec: { podCIDR: "10.42.0.0/24" } }, { signal });
  await addNode(cluster, "b", "10.42.0.0/24");
  await cluster.eventually(async () => assert.equal((await rangesOf(cluster)).b?.[0], "10.42.1.0/24"));
});

test("a node for which there is none is told of, and gets that of the next that goes", async () => {
  await using cluster = await start();
  const { client, signal } = cluster;
  for (const name of ["a", "b", "c"]) {
    await addNode(cluster, name);
    await cluster.eventually(async () => assert.equal((await rangesOf(cluster))[name]?.length, 2));
  }
  await addNode(cluster, "late");
  await cluster.eventually(async () => {
    const { items } = await client.list(Events, { signal });
    const told = items.find(({ reason }) => reason === "CIDRNotAvailable");
    assert.equal(told?.message, "Node late status is now: CIDRNotAvailable");
    assert.equal(told?.involvedObject.name, "late");
  });
  const { b } = await rangesOf(cluster);
  await client.delete(Nodes, { name: "b" }, { signal });
  await cluster.eventually(async () => assert.deepEqual((await rangesOf(cluster)).late, b));
});
