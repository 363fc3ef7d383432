import assert from "node:assert/strict";
import { test } from "node:test";
import { EndpointSlices, Endpoints, isNotFound, Namespaces, type ResourceDefinition, Services } from "@skiff/api";
import { TestCluster } from "@skiff/testing";

test("nobody fights for the endpoints of a Service whose namespace goes", async () => {
  await using cluster = await TestCluster.start();
  const { client, signal } = cluster;
  const namespace = "shop";
  const web = { namespace, name: "web" };
  await client.create(Namespaces, { metadata: { name: namespace } }, { signal });
  const spec = { selector: { app: "web" }, ports: [{ port: 80 }] };
  await client.create(Services, { metadata: { ...web, finalizers: ["example.com/hold"] }, spec }, { signal });
  await cluster.eventually(() => client.get(Endpoints, web, { signal }));
  await client.delete(Namespaces, { name: namespace }, { signal });
  const isEmpty = async (resource: ResourceDefinition) =>
    assert.deepEqual((await client.list(resource, { namespace, signal })).items, []);
  await cluster.eventually(() => isEmpty(Endpoints));
  await cluster.eventually(() => isEmpty(EndpointSlices));
  await cluster.advance(60_000);
  await isEmpty(Endpoints);
  const failed = cluster.stats().filter((one) => one.name.startsWith("endpoint") && one.failed > 0);
  assert.deepEqual(failed, []);
  await client.patch(Services, web, { metadata: { finalizers: null } }, { type: "merge", signal });
  await cluster.eventually(() => assert.rejects(client.get(Namespaces, { name: namespace }, { signal }), isNotFound));
});
