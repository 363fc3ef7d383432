import assert from "node:assert/strict";
import { test } from "node:test";
import { Events, isNotFound, PersistentVolumeClaims, PersistentVolumes, Pods, StorageClasses } from "@skiff/api";
import { usualScript } from "@skiff/simulation";
import { TestCluster } from "./test-cluster.ts";

const volume = (name: string, more: object = {}) => ({
  metadata: { name },
  spec: {
    capacity: { storage: "2Gi" },
    accessModes: ["ReadWriteOnce"],
    hostPath: { path: `/srv/${name}` },
    storageClassName: "manual",
    ...more,
  },
});
const claim = (name: string, more: object = {}) => ({
  metadata: { name, namespace: "default" },
  spec: {
    accessModes: ["ReadWriteOnce"],
    resources: { requests: { storage: "1Gi" } },
    storageClassName: "manual",
    ...more,
  },
});

async function phases(cluster: TestCluster): Promise<readonly string[]> {
  const { client, signal } = cluster;
  const claims = await client.list(PersistentVolumeClaims, { signal });
  const volumes = await client.list(PersistentVolumes, { signal });
  return [...claims.items, ...volumes.items].map(({ metadata, status }) => `${metadata.name} ${status?.phase}`);
}

const becomes = (cluster: TestCluster, ...wanted: readonly string[]) =>
  cluster.eventually(async () => assert.deepEqual(await phases(cluster), wanted));

test("a volume is bound, released with its claim and kept; a new claim does not get it", async () => {
  await using cluster = await TestCluster.start();
  const { client, signal } = cluster;
  await client.create(PersistentVolumeClaims, claim("data"), { signal });
  await becomes(cluster, "data Pending");
  await client.create(PersistentVolumes, volume("v"), { signal });
  await becomes(cluster, "data Bound", "v Bound");
  const bound = await client.get(PersistentVolumeClaims, { namespace: "default", name: "data" }, { signal });
  assert.equal(bound.spec.volumeName, "v");
  assert.deepEqual(bound.status?.capacity, { storage: "2Gi" });
  await client.delete(PersistentVolumeClaims, { namespace: "default", name: "data" }, { signal });
  await becomes(cluster, "v Released");
  await client.create(PersistentVolumeClaims, claim("data"), { signal });
  await cluster.advance(5_000);
  await becomes(cluster, "data Pending", "v Released");
  const { items } = await client.list(Events, { namespace: "default", signal });
  const messages = items.filter(({ reason }) => reason === "ProvisioningFailed").map(({ message }) => message);
  assert.deepEqual([...new Set(messages)], ['storageclass.storage.k8s.io "manual" not found']);
});

test("of forty claims and thirty volumes, in bad weather, thirty find each other, one to one", async () => {
  const faults = { conflicts: 0.1, unavailable: 0.1, droppedWatches: 0.1, expiredWatches: 0 };
  await using cluster = await TestCluster.start({ faults, seed: 7 });
  const { client, signal } = cluster;
  const count = (length: number) => Array.from({ length }, (_, index) => index);
  await Promise.all([
    ...count(40).map((index) => client.create(PersistentVolumeClaims, claim(`c${index}`), { signal })),
    ...count(30).map((index) => client.create(PersistentVolumes, volume(`v${index}`), { signal })),
  ]);
  const claims = await cluster.eventually(
    async () => {
      const { items } = await client.list(PersistentVolumeClaims, { signal });
      const bound = items.filter(({ status }) => status?.phase === "Bound");
      assert.equal(bound.length, 30);
      return bound;
    },
    { withinMs: 3_600_000 },
  );
  assert.equal(new Set(claims.map(({ spec }) => spec.volumeName)).size, 30);
  for (const { metadata, spec } of claims) {
    const held = await client.get(PersistentVolumes, { name: spec.volumeName ?? "" }, { signal });
    assert.equal(held.spec.claimRef?.uid, metadata.uid);
  }
});

test("a claim without a class takes the default one once there is one, and asks its provisioner", async () => {
  await using cluster = await TestCluster.start();
  const { client, signal } = cluster;
  await client.create(PersistentVolumeClaims, claim("late", { storageClassName: undefined }), { signal });
  await becomes(cluster, "late Pending");
  const annotations = { "storageclass.kubernetes.io/is-default-class": "true" };
  await client.create(
    StorageClasses,
    { metadata: { name: "standard", annotations }, provisioner: "x.example.com" },
    { signal },
  );
  await cluster.eventually(async () => {
    const late = await client.get(PersistentVolumeClaims, { namespace: "default", name: "late" }, { signal });
    assert.equal(late.spec.storageClassName, "standard");
    assert.equal(late.metadata.annotations?.["volume.kubernetes.io/storage-provisioner"], "x.example.com");
  });
});

test("a volume is recycled by a pod and can be had again; one that is to be deleted goes with its directory", async () => {
  const removed: string[] = [];
  await using cluster = await TestCluster.start({
    scripts: (pod) =>
      pod.metadata.name.startsWith("recycler-for-")
        ? { kind: "ends", startMs: 500, endMs: 1_000, exitCode: 0 }
        : usualScript(pod),
    reclaim: {
      removePath: async (path) => {
        removed.push(path);
      },
    },
  });
  const { client, signal } = cluster;
  await client.create(PersistentVolumes, volume("again", { persistentVolumeReclaimPolicy: "Recycle" }), { signal });
  await client.create(PersistentVolumeClaims, claim("data"), { signal });
  await becomes(cluster, "data Bound", "again Bound");
  await client.delete(PersistentVolumeClaims, { namespace: "default", name: "data" }, { signal });
  await becomes(cluster, "again Available");
  await cluster.eventually(async () => {
    assert.equal((await client.list(Pods, { namespace: "default", signal })).items.length, 0);
  });
  await client.delete(PersistentVolumes, { name: "again" }, { signal });

  const gone = { persistentVolumeReclaimPolicy: "Delete", hostPath: { path: "/tmp/gone" } };
  await client.create(PersistentVolumes, volume("gone", gone), { signal });
  await client.create(PersistentVolumeClaims, claim("data"), { signal });
  await becomes(cluster, "data Bound", "gone Bound");
  await client.delete(PersistentVolumeClaims, { namespace: "default", name: "data" }, { signal });
  await cluster.eventually(async () => {
    const found = await client.get(PersistentVolumes, { name: "gone" }, { signal }).catch((error: unknown) => error);
    assert(isNotFound(found));
  });
  assert.deepEqual(removed, ["/tmp/gone"]);
});
