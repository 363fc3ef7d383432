/** Pods take devices, by claim and by the name of a resource, while answers are lost and parts stop and start. Seeds replay. */
import assert from "node:assert/strict";
import { it } from "node:test";
import {
  DeviceClasses,
  type DynamicResourceClaim,
  isConflict,
  isNotFound,
  type New,
  type Pod,
  Pods,
  ResourceClaims,
  ResourceClaimTemplates,
  ResourceSlices,
  StatusError,
} from "@skiff/api";
import { seededRandom } from "@skiff/base";
import type { Component } from "./components.ts";
import { TestCluster } from "./test-cluster.ts";

const faults = { conflicts: 0.08, unavailable: 0.08, droppedWatches: 0.05, expiredWatches: 0.03 };
const namespace = "default";
const resource = "example.com/gpu";
const perNode = 3;
const count = 9;
const steps = 25;

const byName = (name: string): New<Pod> => ({
  metadata: { name, namespace },
  spec: {
    containers: [
      { name: "main", image: "i", resources: { requests: { [resource]: "1" }, limits: { [resource]: "1" } } },
    ],
  },
});
const byClaim = (name: string): New<Pod> => ({
  metadata: { name, namespace },
  spec: {
    containers: [{ name: "main", image: "i", resources: { claims: [{ name: "card" }] } }],
    resourceClaims: [{ name: "card", resourceClaimTemplateName: "cards" }],
  },
});

const devicesOf = ({ status }: DynamicResourceClaim) =>
  (status?.allocation?.devices?.results ?? []).map(({ pool, device }) => `${pool}/${device}`);

async function prepare({ client, signal }: TestCluster): Promise<void> {
  const gpu = { metadata: { name: "gpu" }, spec: { extendedResourceName: resource } };
  await client.create(DeviceClasses, gpu, { signal });
  const devices = { requests: [{ name: "r", exactly: { deviceClassName: "gpu" } }] };
  const template = { metadata: { name: "cards", namespace }, spec: { spec: { devices } } };
  await client.create(ResourceClaimTemplates, template, { signal });
  for (const nodeName of ["node-1", "node-2"]) {
    const pool = { name: nodeName, generation: 1, resourceSliceCount: 1 };
    const own = Array.from({ length: perNode }, (_, at) => ({ name: `g${at}` }));
    const spec = { driver: "gpu.example.com", nodeName, pool, devices: own };
    await client.create(ResourceSlices, { metadata: { name: nodeName }, spec }, { signal });
  }
}

/** Everybody who has a node has one device, which nobody else has, and no claim is left of anybody. */
async function assertGiven({ client, signal }: TestCluster): Promise<void> {
  const pods = (await client.list(Pods, { namespace, signal })).items;
  const claims = (await client.list(ResourceClaims, { namespace, signal })).items;
  const placed = pods.filter(({ spec }) => spec.nodeName);
  assert.equal(placed.length, 2 * perNode);
  for (const { metadata, spec, status } of placed) {
    const told = status.extendedResourceClaimStatus ?? status.resourceClaimStatuses?.[0];
    const claim = claims.find((one) => one.metadata.name === told?.resourceClaimName);
    assert.deepEqual(
      claim?.status?.reservedFor?.map(({ uid }) => uid),
      [metadata.uid],
    );
    assert.deepEqual(
      claim?.status?.allocation?.devices?.results?.map(({ pool }) => pool),
      [spec.nodeName],
    );
  }
  const given = claims.flatMap(devicesOf);
  assert.equal(new Set(given).size, 2 * perNode);
  assert.equal(given.length, 2 * perNode);
  const special = claims.filter(({ metadata }) => metadata.generateName?.includes("extended-resources"));
  const owners = new Set(placed.map(({ metadata }) => metadata.uid));
  for (const { metadata } of special) assert.ok(owners.has(metadata.ownerReferences?.[0]?.uid ?? ""), metadata.name);
}

for (const seed of [1, 2, 23]) {
  it(`no device is given twice or lost, whatever fails (seed ${seed})`, async () => {
    await using cluster = await TestCluster.start({ nodes: 2, seed, faults });
    const { client, informers, signal } = cluster;
    const random = seededRandom(seed * 31);
    await prepare(cluster);
    const claims = informers.for(ResourceClaims);
    const wrongs = new Set<string>();
    using _ = claims.onChange(() => {
      const given = claims.list().flatMap(devicesOf);
      for (const device of given) if (given.filter((one) => one === device).length > 1) wrongs.add(device);
    });
    const create = (at: number) => client.create(Pods, (at % 3 === 0 ? byClaim : byName)(`p${at}`), { signal });
    for (let at = 0; at < count; at++) await create(at);
    const parts: readonly Component[] = ["scheduler", "controllers"];
    for (let step = 0, next = count; step < steps; step++) {
      const part = random.next() < 0.5 ? parts[Math.floor(random.next() * parts.length)] : undefined;
      if (part !== undefined) await cluster.stop(part);
      await cluster.advance(random.next() * 500);
      const { items } = await client.list(Pods, { namespace, signal });
      const pod = items[Math.floor(random.next() * items.length)];
      if (pod !== undefined) await client.delete(Pods, pod.metadata, { signal }).catch(passing);
      await create(next++);
      if (part !== undefined) await cluster.start(part);
      await cluster.advance(random.next() * 4_000);
    }
    cluster.setFaults();
    await cluster.eventually(() => assertGiven(cluster), { withinMs: 1_800_000 });
    assert.deepEqual([...wrongs], []);
  });
}

function passing(error: unknown): void {
  const passes = isNotFound(error) || isConflict(error) || (error instanceof StatusError && error.code >= 500);
  if (!passes) throw error;
}
