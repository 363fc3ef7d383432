import assert from "node:assert/strict";
import { test } from "node:test";
import { APIServices, CustomResourceDefinitions, EndpointSlices, isNotFound, Services } from "@skiff/api";
import { TestCluster } from "@skiff/testing";
import { builtInServices } from "./priorities.ts";

const available = (service: {
  status?: { conditions?: readonly { status: string; reason?: string | undefined }[] | undefined };
}) => service.status?.conditions?.map(({ status, reason }) => `${status} ${reason}`).join();

test("what the server serves itself has its API services", async () => {
  await using cluster = await TestCluster.start();
  const { client, signal } = cluster;
  const wanted = [...builtInServices().keys()].sort();
  await cluster.eventually(async () => {
    const { items } = await client.list(APIServices, { signal });
    assert.deepEqual(items.map(({ metadata }) => metadata.name).sort(), wanted);
    for (const item of items) assert.equal(available(item), "True Local", item.metadata.name);
  });
  assert.ok(
    wanted.includes("v1.") && wanted.includes("v2.autoscaling") && !wanted.includes("v1.apiregistration.k8s.io"),
  );
  const core = await client.get(APIServices, { name: "v1." }, { signal });
  assert.deepEqual(core.spec, { version: "v1", groupPriorityMinimum: 18_000, versionPriority: 1 });
  assert.deepEqual(core.metadata.labels, { "kube-aggregator.kubernetes.io/automanaged": "onstart" });
  const service = { namespace: "default", name: "mine", port: 443 };
  await client.patch(APIServices, { name: "v1.apps" }, { spec: { service } }, { type: "merge", signal });
  await cluster.eventually(async () => {
    assert.equal(available(await client.get(APIServices, { name: "v1.apps" }, { signal })), "False ServiceNotFound");
  });
});

test("an API service comes and goes with its custom resources", async () => {
  await using cluster = await TestCluster.start();
  const { client, signal } = cluster;
  const version = (name: string, storage: boolean) => ({
    name,
    storage,
    served: true,
    schema: { openAPIV3Schema: { type: "object" } },
  });
  const definition = {
    metadata: { name: "boats.sea.example.com" },
    spec: {
      group: "sea.example.com",
      scope: "Namespaced",
      names: { plural: "boats", kind: "Boat", singular: "boat", listKind: "BoatList" },
      versions: [version("v1", true), version("v1beta1", false)],
    },
    status: {},
  };
  await client.create(CustomResourceDefinitions, definition, { signal });
  const found = async () => {
    const { items } = await client.list(APIServices, { signal });
    return items.filter(({ spec }) => spec.group === "sea.example.com");
  };
  await cluster.eventually(async () => {
    const items = await found();
    assert.deepEqual(items.map(({ metadata }) => metadata.name).sort(), [
      "v1.sea.example.com",
      "v1beta1.sea.example.com",
    ]);
    assert.deepEqual([items[0]?.spec.groupPriorityMinimum, items[0]?.spec.versionPriority], [1000, 100]);
    assert.deepEqual(items.map(available), ["True Local", "True Local"]);
  });
  await client.delete(CustomResourceDefinitions, definition.metadata, { signal });
  await cluster.eventually(async () => assert.deepEqual(await found(), []));
});

test("the condition of an aggregated API server follows its Service", async () => {
  let answers = false;
  await using cluster = await TestCluster.start({
    checkDiscovery: async () => {
      if (!answers) throw new Error("failing or missing response from https://10.0.0.1:443/apis/wardle.example.com/v1");
    },
  });
  const { client, signal } = cluster;
  const spec = {
    group: "wardle.example.com",
    version: "v1",
    groupPriorityMinimum: 2000,
    versionPriority: 200,
    insecureSkipTLSVerify: true,
    service: { namespace: "default", name: "wardle", port: 443 },
  };
  const metadata = { name: "v1.wardle.example.com" };
  await client.create(APIServices, { metadata, spec, status: {} }, { signal });
  const holds = (expected: string, withinMs?: number) =>
    cluster.eventually(
      async () => {
        const { status } = await client.get(APIServices, metadata, { signal });
        const [condition] = status.conditions ?? [];
        assert.equal(`${condition?.status} ${condition?.reason}: ${condition?.message}`, expected);
      },
      withinMs === undefined ? {} : { withinMs },
    );
  await holds('False ServiceNotFound: service/wardle in "default" is not present');
  const place = { namespace: "default", name: "wardle" };
  const port = { port: 444, name: "https" };
  const service = await client.create(Services, { metadata: place, spec: { ports: [port] } }, { signal });
  await holds('False ServicePortError: service/wardle in "default" is not listening on port 443');
  await client.update(Services, { ...service, spec: { ...service.spec, ports: [{ ...port, port: 443 }] } }, { signal });
  await holds('False EndpointsNotFound: cannot find endpointslices for service/wardle in "default"');
  const slice = {
    metadata: { namespace: "default", name: "wardle-1", labels: { "kubernetes.io/service-name": "wardle" } },
    addressType: "IPv4",
    endpoints: [{ addresses: ["10.0.0.1"], conditions: { ready: false } }],
    ports: [{ name: "https", port: 443 }],
  };
  const made = await client.create(EndpointSlices, slice, { signal });
  await holds(
    'False MissingEndpoints: endpointslices for service/wardle in "default" have no addresses with port name "https"',
  );
  const endpoints = [{ addresses: ["10.0.0.1"], conditions: { ready: true } }];
  await client.update(EndpointSlices, { ...made, endpoints }, { signal });
  await holds(
    "False FailedDiscoveryCheck: failing or missing response from https://10.0.0.1:443/apis/wardle.example.com/v1",
  );
  answers = true;
  await holds("True Passed: all checks passed");
  answers = false;
  await cluster.advance(31_000);
  await holds(
    "False FailedDiscoveryCheck: failing or missing response from https://10.0.0.1:443/apis/wardle.example.com/v1",
  );
});

test("there is no APIService for the metrics API, so that metrics-server can bring its own", async () => {
  await using cluster = await TestCluster.start();
  const { client, signal } = cluster;
  const ref = { name: "v1beta1.metrics.k8s.io" };
  const get = () => client.get(APIServices, ref, { signal });
  await assert.rejects(get(), isNotFound);
  const spec = { group: "metrics.k8s.io", version: "v1beta1", groupPriorityMinimum: 100, versionPriority: 100 };
  // As earlier servers made one.
  const labels = { "kube-aggregator.kubernetes.io/automanaged": "onstart" };
  await client.create(APIServices, { metadata: { ...ref, labels }, spec }, { signal });
  await cluster.eventually(async () => {
    await assert.rejects(get(), isNotFound);
  });
  const service = { namespace: "kube-system", name: "metrics-server" };
  await client.create(APIServices, { metadata: { ...ref }, spec: { ...spec, service } }, { signal });
  await cluster.eventually(async () => available(await get()) === "False ServiceNotFound");
});
