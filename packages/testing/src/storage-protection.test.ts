import assert from "node:assert/strict";
import { test } from "node:test";
import {
  IngressClasses,
  Ingresses,
  isNotFound,
  PersistentVolumeClaims,
  PersistentVolumes,
  Pods,
  StatusError,
  StorageClasses,
  VolumeAttributesClasses,
} from "@skiff/api";
import { TestCluster } from "./test-cluster.ts";

const requests = (storage: string) => ({ accessModes: ["ReadWriteOnce"], resources: { requests: { storage } } });
const claim = (name: string, more: object = {}) => ({
  metadata: { name, namespace: "default" },
  spec: { ...requests("1Gi"), ...more },
});

const refusal = async (promise: Promise<unknown>): Promise<string> => {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert(error instanceof StatusError, "it is admitted");
  return error.message;
};

test("a claim stays for as long as a pod uses it, a volume for as long as it is bound", async () => {
  await using cluster = await TestCluster.start();
  const { client, signal } = cluster;
  const ref = { namespace: "default", name: "data" };
  const made = await client.create(PersistentVolumeClaims, claim("data"), { signal });
  assert.deepEqual(made.metadata.finalizers, ["kubernetes.io/pvc-protection"]);
  const volumes = [{ name: "v", persistentVolumeClaim: { claimName: "data" } }];
  const spec = { nodeName: "node-1", containers: [{ name: "a", image: "x" }], volumes };
  await client.create(Pods, { metadata: { name: "user", namespace: "default" }, spec }, { signal });
  await client.delete(PersistentVolumeClaims, ref, { signal });
  await cluster.advance(5_000);
  assert((await client.get(PersistentVolumeClaims, ref, { signal })).metadata.deletionTimestamp !== undefined);
  await client.delete(Pods, { namespace: "default", name: "user" }, { gracePeriodSeconds: 0, signal });
  await cluster.eventually(async () => {
    const gone = await client.get(PersistentVolumeClaims, ref, { signal }).catch((error: unknown) => error);
    assert(isNotFound(gone));
  });

  const volume = { capacity: { storage: "1Gi" }, accessModes: ["ReadWriteOnce"], hostPath: { path: "/srv/x" } };
  const pv = await client.create(PersistentVolumes, { metadata: { name: "pv" }, spec: volume }, { signal });
  assert.deepEqual(pv.metadata.finalizers, ["kubernetes.io/pv-protection"]);
  await client.create(PersistentVolumeClaims, claim("data", { storageClassName: "" }), { signal });
  await cluster.eventually(async () => {
    assert.equal((await client.get(PersistentVolumes, { name: "pv" }, { signal })).status?.phase, "Bound");
  });
  await client.delete(PersistentVolumes, { name: "pv" }, { signal });
  await cluster.advance(5_000);
  await client.get(PersistentVolumes, { name: "pv" }, { signal });
  await client.delete(PersistentVolumeClaims, ref, { signal });
  await cluster.eventually(async () => {
    const gone = await client.get(PersistentVolumes, { name: "pv" }, { signal }).catch((error: unknown) => error);
    assert(isNotFound(gone));
  });
});

test("claims and Ingresses that name no class get the newest default", async () => {
  await using cluster = await TestCluster.start();
  const { client, signal } = cluster;
  const marked = (name: string, annotation: string) => ({ metadata: { name, annotations: { [annotation]: "true" } } });
  const classOf = async (name: string, more: object = {}) =>
    (await client.create(PersistentVolumeClaims, claim(name, more), { signal })).spec.storageClassName;
  assert.equal(await classOf("a"), undefined);
  const storage = "storageclass.kubernetes.io/is-default-class";
  await client.create(StorageClasses, { ...marked("old", storage), provisioner: "x" }, { signal });
  await cluster.advance(2_000);
  await client.create(StorageClasses, { ...marked("new", storage), provisioner: "x" }, { signal });
  assert.equal(await classOf("b"), "new");
  assert.equal(await classOf("c", { storageClassName: "" }), "");
  const ingress = "ingressclass.kubernetes.io/is-default-class";
  await client.create(IngressClasses, { ...marked("nginx", ingress), spec: { controller: "x.io/y" } }, { signal });
  const backend = { defaultBackend: { service: { name: "s", port: { number: 80 } } } };
  const made = await client.create(
    Ingresses,
    { metadata: { name: "i", namespace: "default" }, spec: backend },
    { signal },
  );
  assert.equal(made.spec?.ingressClassName, "nginx");
});

test("claims grow when they are bound and their class lets them", async () => {
  await using cluster = await TestCluster.start();
  const { client, signal } = cluster;
  await client.create(StorageClasses, { metadata: { name: "fixed" }, provisioner: "x" }, { signal });
  await client.create(
    StorageClasses,
    { metadata: { name: "growing" }, provisioner: "x", allowVolumeExpansion: true },
    { signal },
  );
  const bound = async (name: string) => {
    const ref = { namespace: "default", name };
    const volume = { capacity: { storage: "1Gi" }, accessModes: ["ReadWriteOnce"], hostPath: { path: "/srv/x" } };
    const spec = { ...volume, storageClassName: name, claimRef: ref };
    await client.create(PersistentVolumes, { metadata: { name }, spec }, { signal });
    const wanted = claim(name, { storageClassName: name, volumeName: name });
    await client.create(PersistentVolumeClaims, wanted, { signal });
    await cluster.eventually(async () =>
      assert.equal((await client.get(PersistentVolumeClaims, ref, { signal })).status?.phase, "Bound"),
    );
    return ref;
  };
  const grown = async (name: string) => {
    const spec = { resources: { requests: { storage: "2Gi" } } };
    return client.patch(PersistentVolumeClaims, await bound(name), { spec }, { type: "merge", signal });
  };
  assert.equal(
    await refusal(grown("fixed")),
    'persistentvolumeclaims "fixed" is forbidden: only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize',
  );
  assert.equal((await grown("growing")).spec.resources?.requests?.storage, "2Gi");
});

test("a class of volume attributes stays for as long as a claim names it", async () => {
  await using cluster = await TestCluster.start();
  const { client, signal } = cluster;
  const made = await client.create(
    VolumeAttributesClasses,
    { metadata: { name: "fast" }, driverName: "x.example.com", parameters: { iops: "1" } },
    { signal },
  );
  assert.deepEqual(made.metadata.finalizers, ["kubernetes.io/vac-protection"]);
  await client.create(PersistentVolumeClaims, claim("c", { volumeAttributesClassName: "fast" }), { signal });
  await client.delete(VolumeAttributesClasses, { name: "fast" }, { signal });
  await cluster.advance(5_000);
  await client.get(VolumeAttributesClasses, { name: "fast" }, { signal });
  await client.delete(PersistentVolumeClaims, { namespace: "default", name: "c" }, { signal });
  await cluster.eventually(async () => {
    const gone = await client
      .get(VolumeAttributesClasses, { name: "fast" }, { signal })
      .catch((error: unknown) => error);
    assert(isNotFound(gone));
  });
});
