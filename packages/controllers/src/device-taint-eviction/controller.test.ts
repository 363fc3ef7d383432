import assert from "node:assert/strict";
import { test } from "node:test";
import { DeviceClasses, isNotFound, Pods, ResourceClaims, ResourceSlices } from "@skiff/api";
import { TestCluster } from "@skiff/testing";

test("a pod whose device gets a taint goes when its claim tolerates that no longer, with its reason", async () => {
  await using cluster = await TestCluster.start({ nodes: 1 });
  const { client, signal } = cluster;
  await client.create(DeviceClasses, { metadata: { name: "gpu" }, spec: {} }, { signal });
  const pool = (generation: number) => ({ name: "node-1", generation, resourceSliceCount: 1 });
  const spec = { driver: "d.example.com", nodeName: "node-1", pool: pool(1), devices: [{ name: "g0" }] };
  const slice = await client.create(ResourceSlices, { metadata: { name: "s" }, spec }, { signal });
  const tolerations = [{ key: "hot", operator: "Exists", tolerationSeconds: 60 }];
  const requests = [{ name: "r", exactly: { deviceClassName: "gpu", tolerations } }];
  const ref = { name: "c", namespace: "default" };
  await client.create(ResourceClaims, { metadata: { ...ref }, spec: { devices: { requests } } }, { signal });
  const containers = [{ name: "main", image: "i", resources: { claims: [{ name: "c" }] } }];
  const resourceClaims = [{ name: "c", resourceClaimName: "c" }];
  const { metadata } = await client.create(
    Pods,
    { metadata: { name: "p", namespace: "default" }, spec: { containers, resourceClaims } },
    { signal },
  );
  await cluster.eventually(async () => (await client.get(Pods, metadata, { signal })).status?.phase === "Running");
  const tainted = [{ name: "g0", taints: [{ key: "hot", effect: "NoExecute" }] }];
  await client.update(ResourceSlices, { ...slice, spec: { ...spec, pool: pool(2), devices: tainted } }, { signal });
  await cluster.advance(30_000);
  assert.equal((await client.get(Pods, metadata, { signal })).metadata.deletionTimestamp, undefined);
  await cluster.eventually(async () => {
    await assert.rejects(client.get(Pods, metadata, { signal }), isNotFound);
  });
});
