import assert from "node:assert/strict";
import { test } from "node:test";
import {
  ConfigMaps,
  CustomResourceDefinitions,
  customResource,
  type DynamicObject,
  isNotFound,
  Namespaces,
  type ResourceDefinition,
} from "@skiff/api";
import { present } from "@skiff/base";
import { TestCluster } from "@skiff/testing";

/** Defines `widgets.example.com` and waits until they are served. */
async function defineWidgets(cluster: TestCluster): Promise<ResourceDefinition<DynamicObject>> {
  const { client, signal } = cluster;
  const metadata = { name: "widgets.example.com" };
  const spec = {
    group: "example.com",
    scope: "Namespaced",
    names: { plural: "widgets", kind: "Widget" },
    versions: [
      {
        name: "v1",
        served: true,
        storage: true,
        subresources: { status: {} },
        schema: {
          openAPIV3Schema: {
            type: "object",
            properties: {
              spec: { type: "object", properties: { size: { type: "integer", default: 1 } } },
              status: { type: "object", properties: { seen: { type: "integer" } } },
            },
          },
        },
      },
    ],
  };
  await client.create(CustomResourceDefinitions, { metadata, spec }, { signal });
  const definition = await cluster.eventually(async () => {
    const found = await client.get(CustomResourceDefinitions, metadata, { signal });
    assert.ok(found.status.conditions?.some(({ type, status }) => type === "Established" && status === "True"));
    return found;
  });
  return present(customResource(definition).served[0], "the version is served");
}

const isGone = async (work: Promise<unknown>): Promise<boolean> => {
  try {
    await work;
    return false;
  } catch (error) {
    if (isNotFound(error)) return true;
    throw error;
  }
};

test("an operator follows a custom resource and writes its status", async () => {
  await using cluster = await TestCluster.start();
  const { client, informers, signal } = cluster;
  const widgets = await defineWidgets(cluster);
  const seen: string[] = [];
  using _subscription = informers.for(widgets).onChange(({ kind, object }) => {
    seen.push(`${kind} ${object.metadata.name}`);
    if (kind !== "added") return;
    const status = { seen: Reflect.get(Object(object.spec), "size") };
    void client.updateStatus(widgets, { ...object, status }, { signal });
  });
  const made = await client.create(widgets, { metadata: { name: "a", namespace: "default" } }, { signal });
  assert.equal(made.spec, undefined);
  await client.create(widgets, { metadata: { name: "b", namespace: "default" }, spec: {} }, { signal });
  await cluster.eventually(async () => {
    const { status } = await client.get(widgets, { namespace: "default", name: "b" }, { signal });
    assert.deepEqual(status, { seen: 1 });
  });
  await client.delete(CustomResourceDefinitions, { name: "widgets.example.com" }, { signal });
  await cluster.eventually(() => seen.includes("deleted b"));
  assert.deepEqual(
    seen.filter((line) => line.endsWith("b")),
    ["added b", "updated b", "deleted b"],
  );
});

test("custom resources own and are owned; their namespace takes them along", async () => {
  await using cluster = await TestCluster.start();
  const { client, signal } = cluster;
  const widgets = await defineWidgets(cluster);
  const at = (name: string) => ({ namespace: "default", name });
  const owner = await client.create(widgets, { metadata: at("owner") }, { signal });
  const { uid } = owner.metadata;
  const ownerReferences = [{ apiVersion: "example.com/v1", kind: "Widget", name: "owner", uid }];
  await client.create(ConfigMaps, { metadata: { ...at("owned"), ownerReferences } }, { signal });
  await client.create(widgets, { metadata: { ...at("owned"), ownerReferences } }, { signal });
  await cluster.advance(5_000);
  await client.get(ConfigMaps, at("owned"), { signal });
  await client.delete(widgets, at("owner"), { signal });
  await cluster.eventually(() => isGone(client.get(ConfigMaps, at("owned"), { signal })));
  await cluster.eventually(() => isGone(client.get(widgets, at("owned"), { signal })));
  await client.create(Namespaces, { metadata: { name: "other" } }, { signal });
  await client.create(widgets, { metadata: { name: "a", namespace: "other" } }, { signal });
  await client.delete(Namespaces, { name: "other" }, { signal });
  await cluster.eventually(() => isGone(client.get(Namespaces, { name: "other" }, { signal })));
  assert.ok(await isGone(client.get(widgets, { namespace: "other", name: "a" }, { signal })));
});

test("a definition made anew is followed anew", async () => {
  await using cluster = await TestCluster.start();
  const { client, signal } = cluster;
  for (const round of ["first", "second"]) {
    const widgets = await defineWidgets(cluster);
    const at = (name: string) => ({ namespace: "default", name: `${round}-${name}` });
    const { metadata } = await client.create(widgets, { metadata: at("owner") }, { signal });
    const reference = { apiVersion: "example.com/v1", kind: "Widget", name: metadata.name, uid: metadata.uid };
    await client.create(ConfigMaps, { metadata: { ...at("owned"), ownerReferences: [reference] } }, { signal });
    await client.delete(widgets, at("owner"), { signal });
    await cluster.eventually(() => isGone(client.get(ConfigMaps, at("owned"), { signal })));
    await client.delete(CustomResourceDefinitions, { name: "widgets.example.com" }, { signal });
    await cluster.eventually(() =>
      isGone(client.get(CustomResourceDefinitions, { name: "widgets.example.com" }, { signal })),
    );
  }
});

test("a resource that cannot be read does not keep the garbage collector from its work", async () => {
  await using cluster = await TestCluster.start();
  const { client, signal } = cluster;
  const metadata = { name: "broken.example.com" };
  const version = (name: string, storage: boolean) => ({
    name,
    served: true,
    storage,
    schema: { openAPIV3Schema: { type: "object" } },
  });
  const spec = (versions: ReturnType<typeof version>[]) => ({
    group: "example.com",
    scope: "Namespaced",
    names: { plural: "broken", kind: "Broken" },
    versions,
    conversion: {
      strategy: "Webhook",
      webhook: { clientConfig: { url: "https://127.0.0.1:1/" }, conversionReviewVersions: ["v1"] },
    },
  });
  await client.create(
    CustomResourceDefinitions,
    { metadata, spec: spec([version("v1", true), version("v2", false)]) },
    { signal },
  );
  const established = await cluster.eventually(async () => {
    const found = await client.get(CustomResourceDefinitions, metadata, { signal });
    assert.ok(found.status.conditions?.some(({ type, status }) => type === "Established" && status === "True"));
    return found;
  });
  const [first] = customResource(established).served;
  await client.create(present(first, "v1 is served"), { metadata: { name: "a", namespace: "default" } }, { signal });
  const moved = spec([version("v1", false), version("v2", true)]);
  await client.update(CustomResourceDefinitions, { ...established, spec: moved }, { signal });
  const at = (name: string) => ({ namespace: "default", name });
  const owner = await client.create(ConfigMaps, { metadata: at("owner") }, { signal });
  const reference = { apiVersion: "v1", kind: "ConfigMap", name: "owner", uid: owner.metadata.uid };
  await client.create(ConfigMaps, { metadata: { ...at("owned"), ownerReferences: [reference] } }, { signal });
  await client.delete(ConfigMaps, at("owner"), { signal });
  await cluster.eventually(() => isGone(client.get(ConfigMaps, at("owned"), { signal })));
});
