/** A storage driver that each node has for its own disk: where volumes are made, copied and deleted, and by whom. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  CSINodes,
  CustomResourceDefinitions,
  customResource,
  Nodes,
  PersistentVolumeClaims,
  PersistentVolumes,
  Pods,
  StorageClasses,
} from "@skiff/api";
import { present } from "@skiff/base";
import { type Segments, type StorageDriver, snapshotDefinitions } from "@skiff/controllers";
import { TestCluster } from "./test-cluster.ts";

const driverName = "disk.example.com";
const key = `topology.${driverName}/node`;
const home = { [key]: "node-1" };
const selected = "volume.kubernetes.io/selected-node";

/** Drivers that note what they were asked for, and where. A node that is `down` does not answer. */
function drivers() {
  const kept = new Map<string, string>();
  const down = new Set<string>();
  const calls: string[] = [];
  const ask = (call: string, at: Segments | undefined): string => {
    const node = (at ?? home)[key] ?? "";
    if (down.has(node)) throw new Error(`${node} cannot be asked`);
    calls.push(`${call} ${node}`);
    return node;
  };
  const driver: StorageDriver = {
    name: driverName,
    home,
    async createVolume({ name, sizeBytes, places, source }) {
      const place = places[0] ?? home;
      kept.set(name, ask(source === undefined ? "create" : `copy ${source.kind}`, place));
      return { kind: "created", volume: { volumeId: name, sizeBytes, context: {}, topology: [place] } };
    },
    async deleteVolume({ volumeId, at }) {
      // Calls may be repeated.
      if (ask("delete", at) === kept.get(volumeId)) kept.delete(volumeId);
    },
    async expandVolume({ sizeBytes, at }) {
      ask("expand", at);
      return { sizeBytes, onNodeToo: false };
    },
    modifyVolume: async () => ({ kind: "modified" }),
    capacity: async () => 1024 ** 4,
    async createSnapshot({ name, at }) {
      ask("snapshot", at);
      return { snapshotId: name, sizeBytes: 1024 ** 2, createdMs: 0, ready: true };
    },
    findSnapshot: async () => undefined,
    async deleteSnapshot({ at }) {
      ask("delete snapshot", at);
    },
  };
  return { driver, kept, down, calls };
}

type Drivers = ReturnType<typeof drivers>;

class Scene {
  readonly cluster: TestCluster;
  constructor(cluster: TestCluster) {
    this.cluster = cluster;
  }

  static async start({ driver }: Drivers, nodes: number): Promise<Scene> {
    const cluster = await TestCluster.start({ storageDrivers: [driver], nodes });
    const { client, signal } = cluster;
    for (const { name } of cluster.nodes) {
      await client.patch(Nodes, { name }, { metadata: { labels: { [key]: name } } }, { type: "merge", signal });
      const own = [{ name: driverName, nodeID: name, topologyKeys: [key] }];
      await client.create(CSINodes, { metadata: { name }, spec: { drivers: own } }, { signal });
    }
    for (const [name, volumeBindingMode] of [
      ["early", "Immediate"],
      ["late", "WaitForFirstConsumer"],
    ] as const) {
      const storageClass = {
        metadata: { name },
        provisioner: driverName,
        volumeBindingMode,
        allowVolumeExpansion: true,
      };
      await client.create(StorageClasses, storageClass, { signal });
    }
    return new Scene(cluster);
  }

  async claim(name: string, storageClassName: string, more: object = {}): Promise<void> {
    const { client, signal } = this.cluster;
    const resources = { requests: { storage: "1Mi" } };
    const spec = { storageClassName, accessModes: ["ReadWriteOnce"], resources, ...more };
    await client.create(PersistentVolumeClaims, { metadata: { name, namespace: "default" }, spec }, { signal });
  }

  /** A pod with that claim, which would rather be on the node. */
  async pod(name: string, node: string): Promise<void> {
    const { client, signal } = this.cluster;
    const matchExpressions = [{ key, operator: "In", values: [node] }];
    const preferred = [{ weight: 100, preference: { matchExpressions } }];
    const spec = {
      containers: [{ name: "main", image: "x" }],
      volumes: [{ name: "data", persistentVolumeClaim: { claimName: name } }],
      affinity: { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: preferred } },
    };
    await client.create(Pods, { metadata: { name, namespace: "default" }, spec }, { signal });
  }

  /** Resolves when the claims have their volumes; where these are. */
  whereBound(...names: readonly string[]): Promise<readonly (string | undefined)[]> {
    const { client, signal } = this.cluster;
    return this.cluster.eventually(async () => {
      const found: (string | undefined)[] = [];
      for (const name of names) {
        const { spec, status } = await client.get(PersistentVolumeClaims, { namespace: "default", name }, { signal });
        assert.equal(status?.phase, "Bound");
        const volume = await client.get(PersistentVolumes, { name: spec.volumeName ?? "" }, { signal });
        const [term] = volume.spec.nodeAffinity?.required?.nodeSelectorTerms ?? [];
        found.push(term?.matchExpressions?.[0]?.values?.[0]);
      }
      return found;
    });
  }

  async remove(...names: readonly string[]): Promise<void> {
    const { client, signal } = this.cluster;
    for (const name of names) await client.delete(PersistentVolumeClaims, { namespace: "default", name }, { signal });
  }
}

test("claims that wait for no pod: those of StatefulSets are spread, others stay where the server is", async () => {
  const all = drivers();
  const scene = await Scene.start(all, 3);
  await using cluster = scene.cluster;
  const names = ["data-web-0", "data-web-1", "logs-web-1", "data-web-2", "data-web-3", "files"];
  for (const name of names) await scene.claim(name, "early");
  assert.deepEqual(await scene.whereBound(...names), ["node-1", "node-2", "node-2", "node-3", "node-1", "node-1"]);
  const { client, signal } = cluster;
  const larger = { spec: { resources: { requests: { storage: "2Mi" } } } };
  const ref = { namespace: "default", name: "data-web-2" };
  await client.patch(PersistentVolumeClaims, ref, larger, { type: "merge", signal });
  await cluster.eventually(() => assert.ok(all.calls.includes("expand node-3")));
  // A node where no pod may come is no place for a volume.
  await client.patch(Nodes, { name: "node-2" }, { spec: { unschedulable: true } }, { type: "merge", signal });
  await cluster.advance(5_000);
  await scene.claim("more-web-1", "early");
  assert.deepEqual(await scene.whereBound("more-web-1"), ["node-3"]);
  await scene.remove(...names, "more-web-1");
  await cluster.eventually(() => assert.equal(all.kept.size, 0));
});

test("what a pod's node has is made there, and its copies too, whatever their pods would rather have", async () => {
  const all = drivers();
  const scene = await Scene.start(all, 2);
  await using cluster = scene.cluster;
  const { client, signal } = cluster;
  for (const { metadata, spec } of snapshotDefinitions) {
    const { name, annotations } = metadata;
    await client.create(CustomResourceDefinitions, { metadata: { name, annotations }, spec }, { signal });
  }
  const [snapshots, contents, classes] = snapshotDefinitions.map((one) =>
    present(customResource(one).stored, "a kind"),
  );
  await scene.claim("source", "late");
  await scene.pod("source", "node-2");
  assert.deepEqual(await scene.whereBound("source"), ["node-2"]);

  const snapshotClass = { metadata: { name: "snap" }, driver: driverName, deletionPolicy: "Delete" };
  await client.create(present(classes, "classes"), snapshotClass, { signal });
  const taken = { namespace: "default", name: "taken" };
  const spec = { volumeSnapshotClassName: "snap", source: { persistentVolumeClaimName: "source" } };
  const kind = present(snapshots, "snapshots");
  await client.create(kind, { metadata: taken, spec }, { signal });
  await cluster.eventually(async () => {
    const { status } = await client.get(kind, taken, { signal });
    assert.match(JSON.stringify(status ?? {}), /"readyToUse":true/);
  });
  const [content] = (await client.list(present(contents, "contents"), { signal })).items;
  assert.deepEqual(content?.metadata.labels, { "snapshot.storage.kubernetes.io/managed-by": "node-2" });

  const ofSnapshot = { apiGroup: "snapshot.storage.k8s.io", kind: "VolumeSnapshot", name: "taken" };
  await scene.claim("clone", "late", { dataSource: { kind: "PersistentVolumeClaim", name: "source" } });
  await scene.claim("restored", "early", { dataSource: ofSnapshot });
  for (const name of ["clone", "restored"]) await scene.pod(name, "node-1");
  assert.deepEqual(await scene.whereBound("clone", "restored"), ["node-2", "node-2"]);
  await cluster.eventually(async () => {
    const { items } = await client.list(Pods, { signal });
    assert.deepEqual(
      items.map((pod) => pod.spec.nodeName),
      ["node-2", "node-2", "node-2"],
    );
  });
  await client.delete(kind, taken, { signal });
  await cluster.eventually(() => assert.ok(all.calls.includes("delete snapshot node-2")));
  assert.ok(
    all.calls.every((call) => call.endsWith("node-2")),
    all.calls.join(),
  );
});

test("a volume whose node is down stays until the node is back", async () => {
  const all = drivers();
  const scene = await Scene.start(all, 2);
  await using cluster = scene.cluster;
  const { client, signal } = cluster;
  await scene.claim("data-web-1", "early");
  assert.deepEqual(await scene.whereBound("data-web-1"), ["node-2"]);
  const second = present(cluster.nodes[1], "the second node");
  second.disconnect();
  all.down.add("node-2");
  await scene.remove("data-web-1");
  // By the end it is asked once in many minutes only.
  await cluster.advance(1_800_000);
  const { items } = await client.list(PersistentVolumes, { signal });
  assert.deepEqual([items.map(({ status }) => status?.phase), all.kept.size], [["Released"], 1]);
  all.down.clear();
  second.reconnect();
  await cluster.eventually(async () =>
    assert.equal((await client.list(PersistentVolumes, { signal })).items.length, 0),
  );
  assert.equal(all.kept.size, 0);
});

test("a volume whose node is gone for good stays until an administrator lets it go", async () => {
  const all = drivers();
  const scene = await Scene.start(all, 2);
  await using cluster = scene.cluster;
  const { client, signal } = cluster;
  await scene.claim("data-web-1", "early");
  assert.deepEqual(await scene.whereBound("data-web-1"), ["node-2"]);
  cluster.nodes[1]?.disconnect();
  all.down.add("node-2");
  await client.delete(Nodes, { name: "node-2" }, { signal });
  await scene.remove("data-web-1");
  await cluster.advance(600_000);
  const { items } = await client.list(PersistentVolumes, { signal });
  assert.deepEqual(
    items.map(({ status }) => status?.phase),
    ["Released"],
  );
  const { metadata } = present(items[0], "the volume");
  await client.delete(PersistentVolumes, metadata, { signal });
  await client.patch(PersistentVolumes, metadata, { metadata: { finalizers: null } }, { type: "merge", signal });
  assert.equal((await client.list(PersistentVolumes, { signal })).items.length, 0);
});

test("a claim whose chosen node is gone, or has no driver, gives it up", async () => {
  const all = drivers();
  const scene = await Scene.start(all, 2);
  await using cluster = scene.cluster;
  const { client, signal } = cluster;
  const labels = { [key]: null };
  await client.patch(Nodes, { name: "node-2" }, { metadata: { labels } }, { type: "merge", signal });
  const refs = ["node-9", "node-2"].map((node) => ({ namespace: "default", name: `on-${node}` }));
  for (const { name } of refs) {
    await scene.claim(name, "late");
    const annotations = { [selected]: name.slice("on-".length) };
    const ref = { namespace: "default", name };
    await client.patch(PersistentVolumeClaims, ref, { metadata: { annotations } }, { type: "merge", signal });
  }
  await cluster.eventually(async () => {
    for (const ref of refs) {
      const { metadata } = await client.get(PersistentVolumeClaims, ref, { signal });
      assert.equal(metadata.annotations?.[selected], undefined);
    }
  });
  assert.deepEqual(all.calls, []);
});
