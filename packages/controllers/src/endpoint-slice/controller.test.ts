import assert from "node:assert/strict";
import { test } from "node:test";
import { EndpointSlices, Endpoints, isNotFound, Nodes, Pods, Services } from "@skiff/api";
import { TestCluster } from "@skiff/testing";
import { Web, web } from "../fixtures/workloads.ts";

test("endpoints are shared out among zones where the Service asks for it", async () => {
  await using cluster = await TestCluster.start({ nodes: 2 });
  const { client, signal } = cluster;
  const label = async (name: string, zone: string) => {
    const patch = { metadata: { labels: { "topology.kubernetes.io/zone": zone } } };
    await client.patch(Nodes, { name }, patch, { type: "merge", signal });
  };
  await label("node-1", "east");
  const annotations = { "service.kubernetes.io/topology-mode": "Auto" };
  const spec = { selector: { app: "web" }, ports: [{ port: 80 }] };
  await client.create(Services, { metadata: { ...web, annotations }, spec }, { signal });
  const fixture = new Web(cluster);
  await fixture.create({ replicas: 4 });
  await fixture.rolledOut();
  const hints = async () => {
    const { items } = await client.list(EndpointSlices, { namespace: "default", signal });
    return items
      .flatMap(({ endpoints = [] }) => endpoints.map((one) => one.hints?.forZones?.[0]?.name ?? "none"))
      .sort();
  };
  const told = async (text: string) => assert.ok((await fixture.events("web")).includes(text), text);
  const why = "Insufficient Node information: allocatable CPU or zone not specified on one or more nodes";
  await cluster.eventually(() => told(`TopologyAwareHintsDisabled ${why}, addressType: IPv4`));
  assert.deepEqual(await hints(), ["none", "none", "none", "none"]);
  await label("node-2", "west");
  const enabled = "TopologyAwareHintsEnabled Topology Aware Hints has been enabled, addressType: IPv4";
  await cluster.eventually(() => told(enabled));
  assert.deepEqual(await hints(), ["east", "east", "west", "west"]);
  const off = { metadata: { annotations: { "service.kubernetes.io/topology-mode": null } } };
  await client.patch(Services, web, off, { type: "merge", signal });
  await cluster.eventually(async () => assert.deepEqual(await hints(), ["none", "none", "none", "none"]));
});

test("a pod whose node is not there is an endpoint once it is", async () => {
  await using cluster = await TestCluster.start({ nodes: 1 });
  const { client, signal } = cluster;
  const spec = { selector: { app: "web" }, ports: [{ port: 80 }] };
  await client.create(Services, { metadata: web, spec }, { signal });
  const pod = await client.create(
    Pods,
    {
      metadata: { name: "p", namespace: "default", labels: { app: "web" } },
      spec: { nodeName: "late", containers: [{ name: "c", image: "i" }] },
    },
    { signal },
  );
  const status = {
    ...pod.status,
    podIP: "10.9.9.9",
    podIPs: [{ ip: "10.9.9.9" }],
    conditions: [{ type: "Ready", status: "True" }],
  };
  await client.updateStatus(Pods, { ...pod, status }, { signal });
  const addresses = async () =>
    (await client.list(EndpointSlices, { namespace: "default", signal })).items.flatMap(({ endpoints = [] }) =>
      endpoints.flatMap((endpoint) => endpoint.addresses),
    );
  const fixture = new Web(cluster);
  const told =
    "FailedToUpdateEndpointSlices Error updating Endpoint Slices for Service default/web: skipping Pod p for Service default/web: Node late Not Found";
  await cluster.eventually(async () => assert.ok((await fixture.events("web")).includes(told)));
  assert.deepEqual(await addresses(), []);
  await client.create(Nodes, { metadata: { name: "late" }, spec: {} }, { signal });
  await cluster.eventually(async () => assert.deepEqual(await addresses(), ["10.9.9.9"]));
});

test("slices and endpoints follow a Service's pods, without more writes than changes", async () => {
  await using cluster = await TestCluster.start({ nodes: 2 });
  const { client, signal } = cluster;
  const service = {
    metadata: { ...web, labels: { team: "a" } },
    spec: { selector: { app: "web" }, ports: [{ name: "http", port: 80, targetPort: "web" }] },
  };
  await client.create(Services, service, { signal });
  const slices = async () => (await client.list(EndpointSlices, { namespace: "default", signal })).items;
  await cluster.eventually(async () => assert.equal((await slices()).length, 1));
  const fixture = new Web(cluster);
  const containers = [{ name: "web", image: "i", ports: [{ name: "web", containerPort: 8080 }] }];
  const template = { metadata: { labels: { app: "web" } }, spec: { containers } };
  await fixture.create({ template });
  await fixture.rolledOut();
  await cluster.advance(100);
  const [slice, ...more] = await slices();
  assert.deepEqual(more, []);
  assert.match(slice?.metadata.name ?? "", /^web-[a-z0-9]{5}$/);
  assert.deepEqual(slice?.metadata.labels, {
    team: "a",
    "kubernetes.io/service-name": "web",
    "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
  });
  assert.deepEqual(slice?.ports, [{ name: "http", port: 8080, protocol: "TCP" }]);
  const pods = await fixture.pods();
  assert.deepEqual(
    slice?.endpoints?.map(({ targetRef }) => targetRef?.name).sort(),
    pods.map(({ metadata }) => metadata.name).sort(),
  );
  assert.deepEqual(slice?.endpoints?.[0]?.conditions, { ready: true, serving: true, terminating: false });
  const endpoints = await client.get(Endpoints, web, { signal });
  assert.deepEqual(endpoints.subsets?.[0]?.ports, [{ name: "http", port: 8080, protocol: "TCP" }]);
  assert.equal(endpoints.subsets?.[0]?.addresses?.length, 3);
  const version = slice?.metadata.resourceVersion;
  await cluster.advance(120_000);
  assert.equal((await slices())[0]?.metadata.resourceVersion, version);
  const [leaving] = pods;
  assert.ok(leaving);
  await client.delete(Pods, leaving.metadata, { signal });
  await cluster.eventually(async () => {
    const endpoint = (await slices())[0]?.endpoints?.find(({ targetRef }) => targetRef?.uid === leaving.metadata.uid);
    assert.deepEqual(endpoint?.conditions, { ready: false, serving: true, terminating: true });
  });
  await client.delete(Services, web, { signal });
  await cluster.eventually(async () => {
    assert.deepEqual(await slices(), []);
    assert.equal(await client.get(Endpoints, web, { signal }).catch(isNotFound), true);
  });
});
