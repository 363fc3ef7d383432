import assert from "node:assert/strict";
import { test } from "node:test";
import { isNotFound, type New, PersistentVolumeClaims, type Pod, Pods } from "@skiff/api";
import { TestCluster } from "@skiff/testing";
import { Web } from "../fixtures/workloads.ts";

const resources = { requests: { storage: "1Gi" } };
const volumeClaimTemplate = {
  metadata: { labels: { of: "scratch" }, annotations: { note: "x" } },
  spec: { accessModes: ["ReadWriteOnce"], storageClassName: "fast", resources },
};
const pod: New<Pod> = {
  metadata: { name: "p", namespace: "default" },
  spec: {
    containers: [{ name: "main", image: "i", volumeMounts: [{ name: "scratch", mountPath: "/scratch" }] }],
    volumes: [{ name: "scratch", ephemeral: { volumeClaimTemplate } }],
  },
};
const ref = { namespace: "default", name: "p-scratch" };

test("a pod's ephemeral volume has a claim that comes and goes with it", async () => {
  await using cluster = await TestCluster.start();
  const { client, signal } = cluster;
  const { metadata } = await client.create(Pods, pod, { signal });
  const claim = await cluster.eventually(() => client.get(PersistentVolumeClaims, ref, { signal }));
  assert.deepEqual([claim.metadata.labels, claim.metadata.annotations], [{ of: "scratch" }, { note: "x" }]);
  assert.deepEqual(claim.metadata.ownerReferences, [
    { apiVersion: "v1", kind: "Pod", name: "p", uid: metadata.uid, controller: true, blockOwnerDeletion: true },
  ]);
  assert.deepEqual([claim.spec.storageClassName, claim.spec.resources], ["fast", resources]);
  await client.patch(PersistentVolumeClaims, ref, { metadata: { finalizers: null } }, { type: "merge", signal });
  await client.delete(PersistentVolumeClaims, ref, { signal }).catch((error: unknown) => assert.ok(isNotFound(error)));
  await cluster.eventually(async () => {
    const again = await client.get(PersistentVolumeClaims, ref, { signal });
    return again.metadata.uid !== claim.metadata.uid || again.metadata.deletionTimestamp !== undefined;
  });
  await client.delete(Pods, metadata, { signal, gracePeriodSeconds: 0 });
  await cluster.eventually(async () => {
    await assert.rejects(client.get(PersistentVolumeClaims, ref, { signal }), isNotFound);
  });
});

test("a claim of that name that is somebody else's is left alone, and told of", async () => {
  await using cluster = await TestCluster.start();
  const { client, signal } = cluster;
  await client.create(PersistentVolumeClaims, { metadata: { ...ref }, spec: volumeClaimTemplate.spec }, { signal });
  await client.create(Pods, pod, { signal });
  const why = "PVC default/p-scratch was not created for pod default/p (pod is not owner)";
  await cluster.eventually(async () =>
    (await new Web(cluster).events("p")).includes(`FailedBinding ephemeral volume scratch: ${why}`),
  );
  assert.equal((await client.get(PersistentVolumeClaims, ref, { signal })).metadata.ownerReferences, undefined);
});
