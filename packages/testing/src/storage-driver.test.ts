import assert from "node:assert/strict";
import { test } from "node:test";
import {
  CSIDrivers,
  CSINodes,
  CSIStorageCapacities,
  CustomResourceDefinitions,
  customResource,
  isNotFound,
  Nodes,
  PersistentVolumeClaims,
  PersistentVolumes,
  Secrets,
  StorageClasses,
  VolumeAttributesClasses,
} from "@skiff/api";
import { present } from "@skiff/base";
import { type StorageDriver, snapshotDefinitions } from "@skiff/controllers";
import { TestCluster } from "./test-cluster.ts";

/** A driver that keeps its volumes in memory. */
function simulatedDriver() {
  const volumes = new Map<string, number>();
  const snapshots = new Map<string, number>();
  const sources: string[] = [];
  const attributes = new Map<string, Readonly<Record<string, string>>>();
  /** Calls that make and delete volumes, with their secrets; calls may be repeated. */
  const told = new Set<string>();
  const driver: StorageDriver = {
    name: "x.example.com",
    async createVolume({ name, sizeBytes, source, secrets, mutableParameters, places }) {
      if (places.some((place) => Object.values(place).includes("full"))) {
        return { kind: "exhausted", message: "there is no room" };
      }
      told.add(`create ${JSON.stringify(secrets)}`);
      attributes.set(name, mutableParameters);
      if (source !== undefined) sources.push(`${source.kind} ${source.id}`);
      volumes.set(name, sizeBytes);
      return { kind: "created", volume: { volumeId: name, sizeBytes, context: {}, topology: [] } };
    },
    async deleteVolume({ volumeId, secrets }) {
      volumes.delete(volumeId);
      told.add(`delete ${JSON.stringify(secrets)}`);
    },
    async expandVolume({ volumeId, sizeBytes }) {
      volumes.set(volumeId, sizeBytes);
      return { sizeBytes, onNodeToo: false };
    },
    async modifyVolume({ volumeId, parameters }) {
      if (parameters.iops === "none") return { kind: "refused", message: "no volume is that slow" };
      attributes.set(volumeId, parameters);
      return { kind: "modified" };
    },
    capacity: async ({ segments }) => (segments.zone === "b" ? 2 : 1) * 1024 ** 3 + 5,
    async createSnapshot({ name, volumeId }) {
      snapshots.set(name, volumes.get(volumeId) ?? 0);
      return { snapshotId: name, sizeBytes: volumes.get(volumeId) ?? 0, createdMs: 0, ready: true };
    },
    findSnapshot: async () => undefined,
    async deleteSnapshot({ snapshotId }) {
      snapshots.delete(snapshotId);
    },
  };
  return { driver, volumes, snapshots, sources, attributes, told };
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

test("drivers are told in confidence what a class names, and the volume says what the node is to tell them", async () => {
  const { driver, told } = simulatedDriver();
  await using cluster = await TestCluster.start({ storageDrivers: [driver] });
  const { client, signal } = cluster;
  const prefix = "csi.storage.k8s.io";
  const token = (name: string) => `\${${name}}`;
  const parameters = {
    [`${prefix}/provisioner-secret-name`]: `of-${token("pvc.name")}`,
    [`${prefix}/provisioner-secret-namespace`]: token("pvc.namespace"),
    [`${prefix}/node-stage-secret-name`]: `stage-${token("pv.name")}`,
    [`${prefix}/node-stage-secret-namespace`]: "vault",
  };
  await client.create(StorageClasses, { metadata: { name: "fast" }, provisioner: driver.name, parameters }, { signal });
  const ref = { namespace: "default", name: "data" };
  await client.create(PersistentVolumeClaims, claim("data", "1Gi"), { signal });
  const data = Buffer.from("hush").toString("base64");
  await client.create(Secrets, { metadata: { name: "of-data", namespace: "default" }, data: { data } }, { signal });
  const volume = await cluster.eventually(async () => {
    const { items } = await client.list(PersistentVolumes, { signal });
    return present(items[0], "a volume");
  });
  const { name } = volume.metadata;
  assert.deepEqual(volume.spec.csi?.nodeStageSecretRef, { name: `stage-${name}`, namespace: "vault" });
  assert.equal(volume.spec.csi?.nodePublishSecretRef, undefined);
  await client.delete(PersistentVolumeClaims, ref, { signal });
  await cluster.eventually(async () =>
    assert.equal((await client.list(PersistentVolumes, { signal })).items.length, 0),
  );
  assert.deepEqual([...told], ['create {"data":"hush"}', 'delete {"data":"hush"}']);
});

test("volumes get the attributes of their classes, and others later, unless the driver refuses", async () => {
  const { driver, attributes } = simulatedDriver();
  await using cluster = await TestCluster.start({ storageDrivers: [driver] });
  const { client, signal } = cluster;
  await client.create(StorageClasses, { metadata: { name: "fast" }, provisioner: driver.name }, { signal });
  const attributesClass = (name: string, iops: string) =>
    client.create(
      VolumeAttributesClasses,
      { metadata: { name }, driverName: driver.name, parameters: { iops } },
      { signal },
    );
  await attributesClass("silver", "1");
  await client.create(PersistentVolumeClaims, claim("data", "1Gi", { volumeAttributesClassName: "silver" }), {
    signal,
  });
  const ref = { namespace: "default", name: "data" };
  const status = async () => (await client.get(PersistentVolumeClaims, ref, { signal })).status;
  await cluster.eventually(async () => assert.equal((await status())?.currentVolumeAttributesClassName, "silver"));
  const name = (await client.get(PersistentVolumeClaims, ref, { signal })).spec.volumeName ?? "";
  assert.deepEqual(attributes.get(name), { iops: "1" });

  const change = (volumeAttributesClassName: string) =>
    client.patch(PersistentVolumeClaims, ref, { spec: { volumeAttributesClassName } }, { type: "merge", signal });
  await change("gold");
  await cluster.eventually(async () =>
    assert.deepEqual((await status())?.modifyVolumeStatus, {
      status: "Pending",
      targetVolumeAttributesClassName: "gold",
    }),
  );
  await attributesClass("gold", "9");
  await cluster.eventually(async () => {
    const { currentVolumeAttributesClassName, modifyVolumeStatus, conditions = [] } = (await status()) ?? {};
    assert.deepEqual([currentVolumeAttributesClassName, modifyVolumeStatus, conditions], ["gold", undefined, []]);
  });
  assert.deepEqual(attributes.get(name), { iops: "9" });
  const volume = await client.get(PersistentVolumes, { name }, { signal });
  assert.equal(volume.spec.volumeAttributesClassName, "gold");

  await attributesClass("none", "none");
  await change("none");
  await cluster.eventually(async () => {
    const { currentVolumeAttributesClassName, modifyVolumeStatus, conditions = [] } = (await status()) ?? {};
    assert.equal(currentVolumeAttributesClassName, "gold");
    assert.equal(modifyVolumeStatus?.status, "Infeasible");
    assert.deepEqual(
      conditions.map(({ type, reason = "" }) => `${type} ${reason}`),
      ["ModifyingVolume ", "ModifyVolumeError InvalidArgument"],
    );
  });
  await change("gold");
  await cluster.eventually(async () => assert.equal((await status())?.modifyVolumeStatus, undefined));
});

test("what is left of storage is told where the driver wants that", async () => {
  const { driver } = simulatedDriver();
  await using cluster = await TestCluster.start({ storageDrivers: [driver], nodes: 2 });
  const { client, signal } = cluster;
  const topologyKeys = ["zone"];
  for (const [index, zone] of ["a", "b"].entries()) {
    const name = `node-${index + 1}`;
    await client.patch(Nodes, { name }, { metadata: { labels: { zone } } }, { type: "merge", signal });
    const drivers = [{ name: driver.name, nodeID: name, topologyKeys }];
    await client.create(CSINodes, { metadata: { name }, spec: { drivers } }, { signal });
  }
  const late = { metadata: { name: "late" }, provisioner: driver.name, volumeBindingMode: "WaitForFirstConsumer" };
  await client.create(StorageClasses, late, { signal });
  await client.create(StorageClasses, { metadata: { name: "fast" }, provisioner: driver.name }, { signal });
  const object = { metadata: { name: driver.name }, spec: { storageCapacity: false } };
  await client.create(CSIDrivers, object, { signal });
  const told = async () =>
    (await client.list(CSIStorageCapacities, { signal })).items
      .map((one) => `${one.storageClassName} ${one.nodeTopology?.matchLabels?.zone} ${one.capacity}`)
      .sort();
  await cluster.advance(120_000);
  assert.deepEqual(await told(), []);
  const spec = { storageCapacity: true };
  await client.patch(CSIDrivers, { name: driver.name }, { spec }, { type: "merge", signal });
  await cluster.eventually(async () => assert.deepEqual(await told(), ["late a 1Gi", "late b 2Gi"]));
  await client.delete(CSINodes, { name: "node-1" }, { signal });
  await cluster.eventually(async () => assert.deepEqual(await told(), ["late b 2Gi"]));
  await client.delete(StorageClasses, { name: "late" }, { signal });
  await cluster.eventually(async () => assert.deepEqual(await told(), []));
});

test("a node where the driver has no room is given up, so that another is chosen", async () => {
  const { driver, volumes } = simulatedDriver();
  await using cluster = await TestCluster.start({ nodes: 2, storageDrivers: [driver] });
  const { client, signal } = cluster;
  const key = `topology.${driver.name}/zone`;
  const selected = "volume.kubernetes.io/selected-node";
  for (const [index, zone] of ["full", "b"].entries()) {
    const labels = { [key]: zone };
    await client.patch(Nodes, { name: `node-${index + 1}` }, { metadata: { labels } }, { type: "merge", signal });
  }
  const late = { metadata: { name: "late" }, provisioner: driver.name, volumeBindingMode: "WaitForFirstConsumer" };
  await client.create(StorageClasses, late, { signal });
  const { metadata, spec } = claim("data", "1Gi", { storageClassName: "late" });
  const annotations = { [selected]: "node-1" };
  await client.create(PersistentVolumeClaims, { metadata: { ...metadata, annotations }, spec }, { signal });
  await cluster.eventually(async () => {
    const { metadata: now } = await client.get(PersistentVolumeClaims, metadata, { signal });
    assert.equal(now.annotations?.[selected], undefined);
  });
  assert.equal(volumes.size, 0);
  const again = { metadata: { annotations: { [selected]: "node-2" } } };
  await client.patch(PersistentVolumeClaims, metadata, again, { type: "merge", signal });
  await cluster.eventually(async () => {
    const { status } = await client.get(PersistentVolumeClaims, metadata, { signal });
    assert.equal(status?.phase, "Bound");
  });
});
