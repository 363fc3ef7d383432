import assert from "node:assert/strict";
import { test } from "node:test";
import { APIServices, ConfigMaps, hasReason, Namespaces, ownerReference, ResourceQuotas, Secrets } from "@skiff/api";
import { TestCluster } from "@skiff/testing";

test("an aggregated server that does not answer stops nothing but the namespaces that may hold its objects", async () => {
  await using cluster = await TestCluster.start({
    checkDiscovery: () => Promise.reject(new Error("no answer")),
  });
  const { client, signal } = cluster;
  const spec = {
    group: "away.example.com",
    version: "v1",
    groupPriorityMinimum: 1000,
    versionPriority: 100,
    insecureSkipTLSVerify: true,
    service: { namespace: "default", name: "away", port: 443 },
  };
  const away = { name: "v1.away.example.com" };
  await client.create(APIServices, { metadata: away, spec, status: {} }, { signal });
  await cluster.eventually(async () => {
    const { status } = await client.get(APIServices, away, { signal });
    assert.equal(status.conditions?.[0]?.status, "False");
  });
  const namespace = "default";
  // Owned by something of the group that is away, and by something that goes.
  const unknown = { apiVersion: "away.example.com/v1", kind: "Thing", name: "thing", uid: "1" };
  const kept = { name: "kept", namespace, ownerReferences: [unknown] };
  await client.create(ConfigMaps, { metadata: kept }, { signal });
  const owner = await client.create(ConfigMaps, { metadata: { name: "owner", namespace } }, { signal });
  const owned = { name: "owned", namespace, ownerReferences: [ownerReference(ConfigMaps, owner)] };
  await client.create(Secrets, { metadata: owned }, { signal });
  const quota = { name: "few", namespace };
  await client.create(ResourceQuotas, { metadata: quota, spec: { hard: { "count/configmaps": "9" } } }, { signal });
  await client.delete(ConfigMaps, owner.metadata, { signal });
  await cluster.eventually(async () => {
    await assert.rejects(client.get(Secrets, owned, { signal }), (error) => hasReason(error, "NotFound"));
    const { status } = await client.get(ResourceQuotas, quota, { signal });
    const { items } = await client.list(ConfigMaps, { namespace, signal });
    assert.equal(status?.used?.["count/configmaps"], String(items.length));
  });
  await client.get(ConfigMaps, kept, { signal });
  // The namespace is emptied all the same, says what it waits for, and goes as soon as that is over.
  const going = { name: "going" };
  await client.create(Namespaces, { metadata: going, spec: {} }, { signal });
  await client.create(ConfigMaps, { metadata: { name: "inside", namespace: going.name } }, { signal });
  await client.delete(Namespaces, going, { signal });
  await cluster.eventually(async () => {
    assert.deepEqual((await client.list(ConfigMaps, { namespace: going.name, signal })).items, []);
    const { status } = await client.get(Namespaces, going, { signal });
    const failure = status?.conditions?.find(({ type }) => type === "NamespaceDeletionDiscoveryFailure");
    assert.equal(failure?.status, "True");
  });
  await client.delete(APIServices, away, { signal });
  await cluster.eventually(
    () => assert.rejects(client.get(Namespaces, going, { signal }), (error) => hasReason(error, "NotFound")),
    { withinMs: 1_000 },
  );
});
