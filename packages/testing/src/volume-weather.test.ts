import assert from "node:assert/strict";
import { it } from "node:test";
import { type ObjectReference, PersistentVolumeClaims, PersistentVolumes, Pods, StorageClasses } from "@skiff/api";
import { TestCluster } from "./test-cluster.ts";

const namespace = "default";
const faults = { conflicts: 0.1, unavailable: 0.3, droppedWatches: 0.1, expiredWatches: 0.02 };
const selectedNode = "volume.kubernetes.io/selected-node";
const amount = { storage: "1Gi" };

/** A volume of the named node's own disk. */
const volumeOn = (node: string, name: string, storageClassName: string, claimRef?: ObjectReference) => ({
  metadata: { name },
  spec: {
    ...(claimRef && { claimRef }),
    capacity: amount,
    accessModes: ["ReadWriteOnce"],
    storageClassName,
    local: { path: "/data" },
    nodeAffinity: {
      required: {
        nodeSelectorTerms: [{ matchExpressions: [{ key: "kubernetes.io/hostname", operator: "In", values: [node] }] }],
      },
    },
  },
  status: {},
});

for (const seed of [2, 3, 4]) {
  it(`every pod gets volumes of its own on its node, whatever answers are lost (seed ${seed})`, async () => {
    await using cluster = await TestCluster.start({ nodes: 4, seed, faults });
    const { client, informers, signal } = cluster;
    for (const [name, provisioner] of [
      ["found", "kubernetes.io/no-provisioner"],
      ["made", "example.com/maker"],
    ] as const) {
      const volumeBindingMode = "WaitForFirstConsumer";
      await client.create(StorageClasses, { metadata: { name }, provisioner, volumeBindingMode }, { signal });
    }
    const claims = informers.for(PersistentVolumeClaims);
    await informers.whenSynced(signal);
    const wrongs: string[] = [];
    const chosen = new Map<string, string>();
    using _ = claims.onChange(({ object }) => {
      const { uid, name, annotations } = object.metadata;
      const node = annotations?.[selectedNode];
      if (node === undefined) return;
      const before = chosen.get(uid);
      if (before !== undefined && before !== node) wrongs.push(`${name} was sent to ${before}, then to ${node}`);
      chosen.set(uid, node);
    });
    for (let index = 0; index < 6; index++) {
      const node = `node-${(index % 4) + 1}`;
      await client.create(PersistentVolumes, volumeOn(node, `found-${index}`, "found"), { signal });
    }
    for (let index = 0; index < 6; index++) {
      for (const storageClassName of ["found", "made"]) {
        const spec = { accessModes: ["ReadWriteOnce"], storageClassName, resources: { requests: amount } };
        const metadata = { name: `${storageClassName}-${index}`, namespace };
        await client.create(PersistentVolumeClaims, { metadata, spec, status: {} }, { signal });
      }
      const volumes = ["made", "found"].map((name) => ({
        name,
        persistentVolumeClaim: { claimName: `${name}-${index}` },
      }));
      const spec = { containers: [{ name: "main", image: "x" }], volumes };
      await client.create(Pods, { metadata: { name: `p-${index}`, namespace }, spec }, { signal });
    }
    /** Claims for which a volume was made, where the scheduler said. */
    const made = new Set<string>();
    await cluster.eventually(
      async () => {
        for (const claim of claims.list()) {
          const node = claim.metadata.annotations?.[selectedNode];
          if (node === undefined || made.has(claim.metadata.name)) continue;
          made.add(claim.metadata.name);
          const claimRef = { namespace, name: claim.metadata.name, uid: claim.metadata.uid };
          await client.create(PersistentVolumes, volumeOn(node, claim.metadata.name, "made", claimRef), { signal });
        }
        const pods = (await client.list(Pods, { namespace, signal })).items;
        assert.deepEqual(
          pods.filter(({ spec }) => !spec.nodeName).map(({ metadata }) => metadata.name),
          [],
        );
        const used = new Set<string>();
        for (const { spec } of pods) {
          for (const { persistentVolumeClaim } of spec.volumes ?? []) {
            if (persistentVolumeClaim === undefined) continue;
            const ref = { namespace, name: persistentVolumeClaim.claimName };
            const { spec: bound } = await client.get(PersistentVolumeClaims, ref, { signal });
            const volume = await client.get(PersistentVolumes, { name: bound.volumeName ?? "" }, { signal });
            const [term] = volume.spec.nodeAffinity?.required?.nodeSelectorTerms ?? [];
            assert.deepEqual(term?.matchExpressions?.[0]?.values, [spec.nodeName]);
            used.add(volume.metadata.name);
          }
        }
        assert.equal(used.size, 12);
      },
      { withinMs: 3_600_000 },
    );
    assert.deepEqual(wrongs, []);
  });
}
