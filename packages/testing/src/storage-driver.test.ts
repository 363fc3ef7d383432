import assert from "node:assert/strict";
import { test } from "node:test";
import {
  CustomResourceDefinitions,
  customResource,
  isNotFound,
  PersistentVolumeClaims,
  PersistentVolumes,
  StorageClasses,
} from "@skiff/api";
import { present } from "@skiff/base";
import { type StorageDriver, snapshotDefinitions } from "@skiff/controllers";
import { TestCluster } from "./test-cluster.ts";

/** A driver that keeps its volumes in memory. */
function simulatedDriver() {
  const volumes = new Map<string, number>();
  const snapshots = new Map<string, number>();
  const sources: string[] = [];
  const driver: StorageDriver = {
    name: "x.example.com",
    async createVolume({ name, sizeBytes, source }) {
      if (source !== undefined) sources.push(`${source.kind} ${source.id}`);
      volumes.set(name, sizeBytes);
      return { volumeId: name, sizeBytes, context: {}, topology: [] };
    },
    async deleteVolume(id) {
      volumes.delete(id);
    },
    async expandVolume(id, sizeBytes) {
      volumes.set(id, sizeBytes);
      return { sizeBytes, onNodeToo: false };
    },
    async createSnapshot({ name, volumeId }) {
      snapshots.set(name, volumes.get(volumeId) ?? 0);
      return { snapshotId: name, sizeBytes: volumes.get(volumeId) ?? 0, createdMs: 0, ready: true };
    },
    findSnapshot: async () => undefined,
    async deleteSnapshot(id) {
      snapshots.delete(id);
    },
  };
  return { driver, volumes, snapshots, sources };
}

const claim = (name: string, size: string, more: object = {}) => ({
  metadata: { name, namespace: "default" },
  spec: {
    storageClassName: "fast",
    accessModes: ["ReadWriteOnce"],
    resources: { requests: { storage: size } },
    ...more,
  },
});

test("volumes are made, grow, are snapshot and restored, and are gone with their claims", async () => {
  const { driver, volumes, snapshots, sources } = simulatedDriver();
  await using cluster = await TestCluster.start({ storageDrivers: [driver] });
  const { client, signal } = cluster;
  const ref = (name: string) => ({ namespace: "default", name });
  for (const { metadata, spec } of snapshotDefinitions) {
    const { name, annotations } = metadata;
    await client.create(CustomResourceDefinitions, { metadata: { name, annotations }, spec }, { signal });
  }
  const [snapshotKind, , classKind] = snapshotDefinitions.map((definition) => customResource(definition).stored);
  const bound = (name: string) =>
    cluster.eventually(async () => {
      const found = await client.get(PersistentVolumeClaims, ref(name), { signal });
      assert.equal(found.status?.phase, "Bound");
      return found;
    });
  const fast = { metadata: { name: "fast" }, provisioner: driver.name, allowVolumeExpansion: true };
  await client.create(StorageClasses, fast, { signal });
  await client.create(PersistentVolumeClaims, claim("data", "1Gi"), { signal });
  const data = await bound("data");
  const name = `pvc-${data.metadata.uid}`;
  assert.equal(data.spec.volumeName, name);
  assert.deepEqual([...volumes], [[name, 1024 ** 3]]);

  const requests = { resources: { requests: { storage: "2Gi" } } };
  await client.patch(PersistentVolumeClaims, ref("data"), { spec: requests }, { type: "merge", signal });
  await cluster.eventually(async () => {
    const { status } = await client.get(PersistentVolumeClaims, ref("data"), { signal });
    assert.deepEqual([status?.capacity?.storage, status?.conditions ?? []], ["2Gi", []]);
  });

  const snapshotClass = { metadata: { name: "snap" }, driver: driver.name, deletionPolicy: "Delete" };
  await client.create(present(classKind, "classes"), snapshotClass, { signal });
  const spec = { volumeSnapshotClassName: "snap", source: { persistentVolumeClaimName: "data" } };
  const kind = present(snapshotKind, "snapshots");
  await client.create(kind, { metadata: ref("first"), spec }, { signal });
  await cluster.eventually(async () => {
    const { status } = await client.get(kind, ref("first"), { signal });
    assert.match(JSON.stringify(status ?? {}), /"readyToUse":true.*"restoreSize":"2Gi"/);
  });
  const dataSource = { apiGroup: "snapshot.storage.k8s.io", kind: "VolumeSnapshot", name: "first" };
  await client.create(PersistentVolumeClaims, claim("restored", "2Gi", { dataSource }), { signal });
  await bound("restored");
  await client.create(
    PersistentVolumeClaims,
    claim("clone", "2Gi", { dataSource: { kind: "PersistentVolumeClaim", name: "data" } }),
    { signal },
  );
  await bound("clone");
  assert.deepEqual(sources, [`snapshot ${[...snapshots.keys()][0]}`, `volume ${name}`]);

  await client.delete(kind, ref("first"), { signal });
  for (const one of ["data", "restored", "clone"]) await client.delete(PersistentVolumeClaims, ref(one), { signal });
  await cluster.eventually(async () => {
    assert.equal((await client.list(PersistentVolumes, { signal })).items.length, 0);
    assert(isNotFound(await client.get(kind, ref("first"), { signal }).catch((error: unknown) => error)));
  });
  assert.deepEqual([volumes.size, snapshots.size], [0, 0]);
});
