import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigMaps, type New, type Pod, Pods, ResourceQuotas, StatusError } from "@skiff/api";
import { TestCluster } from "./test-cluster.ts";

const pod = (name: string, requests: Record<string, string> = { cpu: "100m" }): New<Pod> => ({
  metadata: { name, namespace: "default" },
  spec: { containers: [{ name: "a", image: "nginx", resources: { requests } }] },
});

async function withQuota(hard: Record<string, string>): Promise<TestCluster> {
  const cluster = await TestCluster.start();
  const { client, signal } = cluster;
  await client.create(ResourceQuotas, { metadata: { name: "q", namespace: "default" }, spec: { hard } }, { signal });
  await cluster.eventually(async () => {
    const { status } = await client.get(ResourceQuotas, { namespace: "default", name: "q" }, { signal });
    assert.deepEqual(Object.keys(status.used ?? {}).sort(), Object.keys(hard).sort());
  });
  return cluster;
}

const usedIn = async ({ client, signal }: TestCluster) =>
  (await client.get(ResourceQuotas, { namespace: "default", name: "q" }, { signal })).status.used;

const refusal = async (promise: Promise<unknown>): Promise<string> => {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert(error instanceof StatusError, "it is admitted");
  return `${error.code} ${error.message}`;
};

test("usage follows pods from creation to deletion, and no more come than there is room for", async () => {
  await using cluster = await withQuota({ pods: "2", "requests.cpu": "250m" });
  const { client, signal } = cluster;
  await client.create(Pods, pod("a"), { signal });
  assert.deepEqual(await usedIn(cluster), { pods: "1", "requests.cpu": "100m" });
  assert.equal(
    await refusal(client.create(Pods, pod("b", { cpu: "200m" }), { signal })),
    '403 pods "b" is forbidden: exceeded quota: q, requested: requests.cpu=200m, used: requests.cpu=100m, limited: requests.cpu=250m',
  );
  assert.equal(
    await refusal(client.create(Pods, pod("b", {}), { signal })),
    '403 pods "b" is forbidden: failed quota: q: must specify requests.cpu for: a',
  );
  await client.create(Pods, pod("b"), { signal });
  assert.match(
    await refusal(client.create(Pods, pod("c"), { signal })),
    /requested: pods=1,requests.cpu=100m, used: pods=2,requests.cpu=200m/,
  );
  await client.delete(Pods, { namespace: "default", name: "a" }, { gracePeriodSeconds: 0, signal });
  await cluster.eventually(async () => assert.deepEqual(await usedIn(cluster), { pods: "1", "requests.cpu": "100m" }));
});

test("of many who write at the same time only as many come through as there is room for", async () => {
  await using cluster = await withQuota({ configmaps: "20" });
  const { client, signal } = cluster;
  const have = (await client.list(ConfigMaps, { namespace: "default", signal })).items.length;
  const outcomes = await Promise.allSettled(
    Array.from({ length: 60 }, (_, index) =>
      client.create(ConfigMaps, { metadata: { name: `c${index}`, namespace: "default" } }, { signal }),
    ),
  );
  assert.equal(outcomes.filter(({ status }) => status === "fulfilled").length, 20 - have);
  assert.deepEqual(await usedIn(cluster), { configmaps: "20" });
  await cluster.advance(10_000);
  assert.deepEqual(await usedIn(cluster), { configmaps: "20" });
  await client.delete(ConfigMaps, { namespace: "default", name: "c0" }, { signal });
  await cluster.eventually(async () => assert.deepEqual(await usedIn(cluster), { configmaps: "19" }));
});

test("what was charged for an object that did not come to be is given back", async () => {
  await using cluster = await withQuota({ configmaps: "20" });
  const { client, signal } = cluster;
  const map = { metadata: { name: "a", namespace: "default" } };
  await client.create(ConfigMaps, map, { signal });
  const before = await usedIn(cluster);
  assert.match(await refusal(client.create(ConfigMaps, map, { signal })), /already exists/);
  await cluster.eventually(async () => assert.deepEqual(await usedIn(cluster), before));
});

test("while pods come and go, there are never more than the quota allows", async () => {
  const limit = 5;
  await using cluster = await withQuota({ pods: String(limit) });
  const { client, signal, random } = cluster;
  let most = 0;
  const count = async () => {
    const { items } = await client.list(Pods, { namespace: "default", signal });
    most = Math.max(most, items.filter(({ status }) => status?.phase !== "Failed").length);
    return items;
  };
  let admitted = 0;
  for (let round = 0; round < 40; round++) {
    const made = await Promise.allSettled(
      Array.from({ length: 4 }, (_, index) => client.create(Pods, pod(`p${round}-${index}`), { signal })),
    );
    admitted += made.filter(({ status }) => status === "fulfilled").length;
    for (const { metadata } of await count()) {
      if (random.next() < 0.5) await client.delete(Pods, metadata, { gracePeriodSeconds: 0, signal });
    }
    await cluster.advance(random.next() * 2_000);
    await count();
  }
  assert.equal(most, limit);
  assert(admitted > 40, `only ${admitted} were admitted`);
  const left = (await count()).length;
  await cluster.eventually(async () => assert.deepEqual(await usedIn(cluster), { pods: String(left) }));
});

test("custom resources count, too", async () => {
  await using cluster = await TestCluster.start();
  const { client, signal } = cluster;
  const schema = { openAPIV3Schema: { type: "object" } };
  const spec = {
    group: "example.com",
    scope: "Namespaced",
    names: { plural: "widgets", kind: "Widget" },
    versions: [{ name: "v1", served: true, storage: true, schema }],
  };
  const transport = cluster.transport({ name: "admin", groups: ["system:masters"] });
  const definitions = { group: "apiextensions.k8s.io", version: "v1", plural: "customresourcedefinitions" };
  const named = { metadata: { name: "widgets.example.com" }, spec };
  await transport.send({ verb: "create", ...definitions, body: named }, signal);
  const hard = { "count/widgets.example.com": "1" };
  await client.create(ResourceQuotas, { metadata: { name: "q", namespace: "default" }, spec: { hard } }, { signal });
  const used = (count: string) =>
    cluster.eventually(async () => assert.deepEqual(await usedIn(cluster), { "count/widgets.example.com": count }));
  await used("0");
  const widgets = { group: "example.com", version: "v1", plural: "widgets", namespace: "default" };
  const widget = (name: string) => ({ apiVersion: "example.com/v1", kind: "Widget", metadata: { name } });
  await transport.send({ verb: "create", ...widgets, body: widget("a") }, signal);
  assert.deepEqual(await usedIn(cluster), { "count/widgets.example.com": "1" });
  assert.match(
    await refusal(transport.send({ verb: "create", ...widgets, body: widget("b") }, signal)),
    /exceeded quota: q, requested: count\/widgets.example.com=1, used: count\/widgets.example.com=1/,
  );
  await transport.send({ verb: "delete", ...widgets, name: "a" }, signal);
  await used("0");
});
