import assert from "node:assert/strict";
import { it } from "node:test";
import { PersistentVolumeClaims, PersistentVolumes, type Pod, Pods, podCondition, StorageClasses } from "@skiff/api";
import { TestCluster } from "./test-cluster.ts";

const namespace = "default";
const amount = { storage: "1Gi" };

async function withClass(cluster: TestCluster, name: string, volumeBindingMode: string): Promise<void> {
  const { client, signal } = cluster;
  const provisioner = "kubernetes.io/no-provisioner";
  await client.create(StorageClasses, { metadata: { name }, provisioner, volumeBindingMode }, { signal });
}

async function volumeOn(cluster: TestCluster, node: string, storageClassName: string): Promise<void> {
  const matchExpressions = [{ key: "kubernetes.io/hostname", operator: "In", values: [node] }];
  const spec = {
    capacity: amount,
    accessModes: ["ReadWriteOnce"],
    storageClassName,
    local: { path: "/data" },
    nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions }] } },
  };
  const metadata = { name: `on-${node}` };
  await cluster.client.create(PersistentVolumes, { metadata, spec, status: {} }, { signal: cluster.signal });
}

async function claim(cluster: TestCluster, name: string, storageClassName: string): Promise<void> {
  const spec = { accessModes: ["ReadWriteOnce"], storageClassName, resources: { requests: amount } };
  const { client, signal } = cluster;
  await client.create(PersistentVolumeClaims, { metadata: { name, namespace }, spec, status: {} }, { signal });
}

async function podWith(cluster: TestCluster, name: string, claimName: string): Promise<void> {
  const spec: Pod["spec"] = {
    containers: [{ name: "main", image: "x" }],
    volumes: [{ name: "data", persistentVolumeClaim: { claimName } }],
  };
  await cluster.client.create(Pods, { metadata: { name, namespace }, spec }, { signal: cluster.signal });
}

const podOf = ({ client, signal }: TestCluster, name: string) => client.get(Pods, { name, namespace }, { signal });

it("a pod goes where its claim finds a volume, and the claim gets it", async () => {
  await using cluster = await TestCluster.start({ nodes: 3 });
  await withClass(cluster, "local", "WaitForFirstConsumer");
  await volumeOn(cluster, "node-2", "local");
  await claim(cluster, "data", "local");
  await cluster.advance(5_000);
  await podWith(cluster, "p", "data");
  await cluster.eventually(async () => assert.equal((await podOf(cluster, "p")).spec.nodeName, "node-2"));
  const { spec } = await cluster.client.get(PersistentVolumeClaims, { name: "data", namespace }, cluster);
  assert.equal(spec.volumeName, "on-node-2");
  await claim(cluster, "more", "local");
  await podWith(cluster, "q", "more");
  await cluster.eventually(async () =>
    assert.match(
      podCondition(await podOf(cluster, "q"), "PodScheduled")?.message ?? "",
      /^0\/3 nodes are available: 3 node\(s\) didn't find available persistent volumes to bind\./,
    ),
  );
  await volumeOn(cluster, "node-3", "local");
  await cluster.eventually(async () => assert.equal((await podOf(cluster, "q")).spec.nodeName, "node-3"));
});

it("a pod waits for claims that are bound without it, and for claims that are not there", async () => {
  await using cluster = await TestCluster.start({ nodes: 2 });
  await withClass(cluster, "at-once", "Immediate");
  await podWith(cluster, "p", "data");
  const says = (text: string) =>
    cluster.eventually(async () =>
      assert.equal(
        podCondition(await podOf(cluster, "p"), "PodScheduled")?.message,
        `0/2 nodes are available: ${text}. no new claims to deallocate, preemption: 0/2 nodes are available: ` +
          "2 Preemption is not helpful for scheduling.",
      ),
    );
  await says('persistentvolumeclaim "data" not found');
  await claim(cluster, "data", "at-once");
  await says("pod has unbound immediate PersistentVolumeClaims");
  await volumeOn(cluster, "node-1", "at-once");
  await cluster.eventually(async () => assert.equal((await podOf(cluster, "p")).spec.nodeName, "node-1"));
});
