import assert from "node:assert/strict";
import { test } from "node:test";
import {
  CSIDrivers,
  type New,
  Nodes,
  PersistentVolumeClaims,
  PersistentVolumes,
  type Pod,
  Pods,
  type VolumeAttachment,
  VolumeAttachments,
} from "@skiff/api";
import { TestCluster } from "@skiff/testing";
import { Web } from "../fixtures/workloads.ts";

const driver = "d.example.com";
const listed = `kubernetes.io/csi/${driver}^handle-1`;
const storage = "1Gi";

const podOn = (nodeName: string, name: string): New<Pod> => ({
  metadata: { name, namespace: "default" },
  spec: {
    nodeName,
    containers: [{ name: "main", image: "i", volumeMounts: [{ name: "data", mountPath: "/data" }] }],
    volumes: [{ name: "data", persistentVolumeClaim: { claimName: "data" } }],
  },
});

/** Two nodes, a claim with its volume, and the driver's attacher and kubelets played by the test. */
class Scene implements AsyncDisposable {
  readonly cluster: TestCluster;
  readonly web: Web;

  private constructor(cluster: TestCluster) {
    this.cluster = cluster;
    this.web = new Web(cluster);
  }

  static async open(attachRequired = true): Promise<Scene> {
    const cluster = await TestCluster.start({ nodes: 2 });
    const { client, signal } = cluster;
    for (const name of ["node-1", "node-2"]) {
      const annotations = { "volumes.kubernetes.io/controller-managed-attach-detach": "true" };
      await client.patch(Nodes, { name }, { metadata: { annotations } }, { type: "merge", signal });
    }
    await client.create(CSIDrivers, { metadata: { name: driver }, spec: { attachRequired } }, { signal });
    const ref = { namespace: "default", name: "data" };
    const spec = {
      accessModes: ["ReadWriteOnce"],
      capacity: { storage },
      claimRef: ref,
      csi: { driver, volumeHandle: "handle-1" },
      persistentVolumeReclaimPolicy: "Retain",
    };
    await client.create(PersistentVolumes, { metadata: { name: "pv-1" }, spec }, { signal });
    const wanted = { accessModes: ["ReadWriteOnce"], storageClassName: "", resources: { requests: { storage } } };
    await client.create(PersistentVolumeClaims, { metadata: ref, spec: wanted }, { signal });
    await cluster.eventually(async () => {
      return (await client.get(PersistentVolumeClaims, ref, { signal })).status.phase === "Bound";
    });
    return new Scene(cluster);
  }

  async attachments(): Promise<readonly VolumeAttachment[]> {
    const { client, signal } = this.cluster;
    return (await client.list(VolumeAttachments, { signal })).items;
  }

  /** As the driver's attacher says when it is done. */
  async attached(): Promise<void> {
    const { client, signal } = this.cluster;
    const [attachment] = await this.attachments();
    assert.ok(attachment);
    await client.updateStatus(VolumeAttachments, { ...attachment, status: { attached: true } }, { signal });
  }

  /** As a kubelet says of what it has mounted. */
  async using(name: string, volumesInUse: readonly string[]): Promise<void> {
    const { client, signal } = this.cluster;
    const patch = { status: { volumesInUse } };
    await client.patch(Nodes, { name }, patch, { type: "merge", subresource: "status", signal });
  }

  async listedOn(name: string): Promise<readonly string[]> {
    const { client, signal } = this.cluster;
    const { status } = await client.get(Nodes, { name }, { signal });
    return (status?.volumesAttached ?? []).map((one) => one.name);
  }

  async run(nodeName: string, name: string): Promise<void> {
    await this.cluster.client.create(Pods, podOn(nodeName, name), { signal: this.cluster.signal });
  }

  async end(name: string): Promise<void> {
    const { client, signal } = this.cluster;
    await client.delete(Pods, { namespace: "default", name }, { gracePeriodSeconds: 0, signal });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.cluster[Symbol.asyncDispose]();
  }
}

test("a volume follows its pods from node to node, never on both", async () => {
  await using scene = await Scene.open();
  const { cluster, web } = scene;
  await scene.run("node-1", "first");
  await cluster.eventually(async () => {
    const [attachment] = await scene.attachments();
    assert.deepEqual(attachment?.spec, {
      attacher: driver,
      nodeName: "node-1",
      source: { persistentVolumeName: "pv-1" },
    });
  });
  assert.deepEqual(await scene.listedOn("node-1"), []);
  await scene.attached();
  await cluster.eventually(async () => assert.deepEqual(await scene.listedOn("node-1"), [listed]));
  await cluster.eventually(async () => {
    const message = 'SuccessfulAttachVolume AttachVolume.Attach succeeded for volume "pv-1"';
    assert.ok((await web.events("first")).some((event) => event.trim() === message));
  });
  await scene.using("node-1", [listed]);
  await scene.run("node-2", "second");
  await cluster.eventually(async () => {
    const message = 'Multi-Attach error for volume "pv-1" Volume is already used by pod(s) first';
    assert.ok((await web.events("second")).includes(`FailedAttachVolume ${message}`));
  });
  await scene.end("first");
  await cluster.advance(600_000);
  assert.equal((await scene.attachments())[0]?.spec.nodeName, "node-1", "what is mounted is not detached");
  await scene.using("node-1", []);
  await cluster.eventually(async () => {
    assert.deepEqual(
      (await scene.attachments()).map(({ spec }) => spec.nodeName),
      ["node-2"],
    );
  });
  assert.deepEqual(await scene.listedOn("node-1"), []);
});

test("a node that is lost keeps its volume for six minutes", async () => {
  await using scene = await Scene.open();
  const { cluster } = scene;
  await scene.run("node-1", "first");
  await cluster.eventually(async () => assert.equal((await scene.attachments()).length, 1));
  await scene.attached();
  await scene.using("node-1", [listed]);
  cluster.nodes[0]?.disconnect();
  await cluster.advance(60_000);
  await scene.end("first");
  await cluster.advance(5 * 60_000);
  assert.equal((await scene.attachments()).length, 1);
  await cluster.advance(2 * 60_000);
  assert.deepEqual(await scene.attachments(), []);
});

test("volumes of drivers that need no attaching are not attached", async () => {
  await using scene = await Scene.open(false);
  await scene.run("node-1", "first");
  await scene.cluster.advance(60_000);
  assert.deepEqual(await scene.attachments(), []);
});

test("attachments that others made are left alone", async () => {
  await using scene = await Scene.open();
  const { client, signal } = scene.cluster;
  const spec = { attacher: driver, nodeName: "node-1", source: { persistentVolumeName: "pv-1" } };
  await client.create(VolumeAttachments, { metadata: { name: "own" }, spec }, { signal });
  await scene.cluster.advance(60_000);
  assert.equal((await scene.attachments()).length, 1);
});
