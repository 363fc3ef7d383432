import assert from "node:assert/strict";
import { test } from "node:test";
import { EndpointSlices, Endpoints, Services } from "@skiff/api";
import { TestCluster } from "@skiff/testing";

const ref = { name: "outside", namespace: "default" };

test("endpoints kept by hand are mirrored, followed and taken back", async () => {
  await using cluster = await TestCluster.start();
  const { client, signal } = cluster;
  await client.create(Services, { metadata: ref, spec: { ports: [{ name: "db", port: 5432 }] } }, { signal });
  const ports = [{ name: "db", port: 5432, protocol: "TCP" }];
  const subsets = [{ addresses: [{ ip: "192.0.2.1" }], notReadyAddresses: [{ ip: "192.0.2.2" }], ports }];
  const made = await client.create(Endpoints, { metadata: ref, subsets }, { signal });
  const slices = async () => (await client.list(EndpointSlices, { namespace: "default", signal })).items;
  await cluster.eventually(async () => {
    const [slice, ...more] = await slices();
    assert.deepEqual(more, []);
    assert.deepEqual(slice?.ports, ports);
    assert.deepEqual(
      slice?.endpoints?.map(({ addresses, conditions }) => [addresses[0], conditions?.ready]),
      [
        ["192.0.2.1", true],
        ["192.0.2.2", false],
      ],
    );
    assert.equal(
      slice?.metadata.labels?.["endpointslice.kubernetes.io/managed-by"],
      "endpointslicemirroring-controller.k8s.io",
    );
  });
  const one = { subsets: [{ addresses: [{ ip: "192.0.2.3" }], ports }] };
  await client.patch(Endpoints, ref, one, { type: "merge", signal });
  await cluster.eventually(async () => {
    const [slice] = await slices();
    assert.deepEqual(
      slice?.endpoints?.flatMap(({ addresses }) => addresses),
      ["192.0.2.3"],
    );
  });
  const label = { metadata: { labels: { "endpointslice.kubernetes.io/skip-mirror": "true" } } };
  await client.patch(Endpoints, made.metadata, label, { type: "merge", signal });
  await cluster.eventually(async () => assert.deepEqual(await slices(), []));
});
