import assert from "node:assert/strict";
import { test } from "node:test";
import { APIServices, ConfigMaps, isNotFound, Namespaces, Pods, Secrets, ServiceAccounts, Services } from "@skiff/api";
import { TestCluster } from "@skiff/testing";

const name = "shop";

async function shop(cluster: TestCluster): Promise<void> {
  const { client, signal } = cluster;
  await client.create(Namespaces, { metadata: { name } }, { signal });
  await cluster.eventually(() => client.get(ServiceAccounts, { namespace: name, name: "default" }, { signal }));
}

test("a namespace gets its service account and the cluster's certificate, and gets them back", async () => {
  await using cluster = await TestCluster.start();
  const { client, signal } = cluster;
  await shop(cluster);
  const account = { namespace: name, name: "default" };
  const certificate = { namespace: name, name: "kube-root-ca.crt" };
  const data = { "ca.crt": "simulated" };
  await cluster.eventually(async () =>
    assert.deepEqual((await client.get(ConfigMaps, certificate, { signal })).data, data),
  );
  await client.patch(ConfigMaps, certificate, { data: { "ca.crt": "forged" } }, { type: "merge", signal });
  await client.delete(ServiceAccounts, account, { signal });
  await cluster.eventually(async () => {
    assert.deepEqual((await client.get(ConfigMaps, certificate, { signal })).data, data);
    await client.get(ServiceAccounts, account, { signal });
  });
});

test("a namespace is emptied, pods first, and waits for finalizers", async () => {
  await using cluster = await TestCluster.start();
  const { client, signal } = cluster;
  await shop(cluster);
  const pod = { metadata: { name: "p", namespace: name }, spec: { containers: [{ name: "c", image: "i" }] } };
  await client.create(Pods, pod, { signal });
  await client.create(
    Secrets,
    { metadata: { name: "s", namespace: name, finalizers: ["example.com/hold"] } },
    { signal },
  );
  await cluster.eventually(async () => {
    assert.equal((await client.get(Pods, pod.metadata, { signal })).status.phase, "Running");
  });
  const order: string[] = [];
  const watch =
    (kind: string) => (change: { kind: string; object: { metadata: { namespace?: string | undefined } } }) => {
      if (change.kind === "deleted" && change.object.metadata.namespace === name) order.push(kind);
    };
  cluster.informers.for(Pods).onChange(watch("pod"));
  cluster.informers.for(ConfigMaps).onChange(watch("config map"));
  await cluster.advance(0);
  await client.delete(Namespaces, { name }, { signal });
  await cluster.eventually(async () => {
    const { status } = await client.get(Namespaces, { name }, { signal });
    assert.equal(status.phase, "Terminating");
    const found = status.conditions?.map(({ type, status, message }) => `${type} ${status} ${message}`) ?? [];
    assert.ok(
      found.includes("NamespaceContentRemaining True Some resources are remaining: secrets. has 1 resource instances"),
      found.join("\n"),
    );
    assert.ok(
      found.includes(
        "NamespaceFinalizersRemaining True Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances",
      ),
      found.join("\n"),
    );
  });
  assert.deepEqual(order, ["pod", "config map"]);
  await client.patch(
    Secrets,
    { namespace: name, name: "s" },
    { metadata: { finalizers: [] } },
    { type: "merge", signal },
  );
  await cluster.eventually(async () => {
    const answer = await client.get(Namespaces, { name }, { signal }).catch(isNotFound);
    assert.equal(answer, true);
  });
});

test("a namespace stays while an aggregated server does not tell what it holds", async () => {
  await using cluster = await TestCluster.start();
  const { client, signal } = cluster;
  await shop(cluster);
  const spec = {
    group: "wardle.example.com",
    version: "v1",
    groupPriorityMinimum: 2000,
    versionPriority: 200,
    service: { namespace: "default", name: "wardle" },
  };
  const metadata = { name: "v1.wardle.example.com" };
  await client.create(APIServices, { metadata, spec, status: {} }, { signal });
  await client.delete(Namespaces, { name }, { signal });
  await cluster.eventually(async () => {
    const { status } = await client.get(Namespaces, { name }, { signal });
    const failure = status.conditions?.find(({ type }) => type === "NamespaceDeletionDiscoveryFailure");
    assert.deepEqual([failure?.status, failure?.reason], ["True", "DiscoveryFailed"]);
    assert.deepEqual((await client.list(ConfigMaps, { namespace: name, signal })).items, []);
  });
  await client.delete(APIServices, metadata, { signal });
  await cluster.eventually(async () => {
    assert.equal(await client.get(Namespaces, { name }, { signal }).catch(isNotFound), true);
  });
});

test("a namespace waits for what it holds on aggregated servers", async () => {
  let held = true;
  await using cluster = await TestCluster.start({
    checkDiscovery: async () => {},
    emptyAggregated: async ({ spec: { group = "" } }, namespace) => {
      assert.equal(namespace, name);
      const objects = [{ metadata: { finalizers: ["example.com/x"] } }];
      return held ? [{ resource: { group, plural: "flunders" }, objects }] : [];
    },
  });
  const { client, signal } = cluster;
  await shop(cluster);
  const place = { namespace: "default", name: "wardle" };
  const external = { type: "ExternalName", externalName: "wardle.example.com" };
  await client.create(Services, { metadata: place, spec: external }, { signal });
  const spec = {
    group: "wardle.example.com",
    version: "v1",
    groupPriorityMinimum: 2000,
    versionPriority: 200,
    service: { ...place, port: 443 },
  };
  await client.create(APIServices, { metadata: { name: "v1.wardle.example.com" }, spec, status: {} }, { signal });
  await client.delete(Namespaces, { name }, { signal });
  await cluster.eventually(async () => {
    const { status } = await client.get(Namespaces, { name }, { signal });
    const remaining = status.conditions?.find(({ type }) => type === "NamespaceContentRemaining");
    const expected = "Some resources are remaining: flunders.wardle.example.com has 1 resource instances";
    assert.equal(remaining?.message, expected);
  });
  held = false;
  await cluster.eventually(async () => {
    assert.equal(await client.get(Namespaces, { name }, { signal }).catch(isNotFound), true);
  });
});
