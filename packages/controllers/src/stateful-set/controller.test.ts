import assert from "node:assert/strict";
import { test } from "node:test";
import {
  ControllerRevisions,
  type New,
  PersistentVolumeClaims,
  type Pod,
  Pods,
  type StatefulSet,
  StatefulSets,
} from "@skiff/api";
import { TestCluster } from "@skiff/testing";

const ref = { namespace: "default", name: "web" };

const webSet = (spec: Partial<StatefulSet["spec"]> = {}): New<StatefulSet> => ({
  metadata: { ...ref },
  spec: {
    replicas: 3,
    serviceName: "web",
    selector: { matchLabels: { app: "web" } },
    template: { metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "web", image: "web:1" }] } },
    ...spec,
  },
});

class Web {
  readonly #cluster: TestCluster;
  constructor(cluster: TestCluster) {
    this.#cluster = cluster;
  }
  get #call() {
    return { signal: this.#cluster.signal };
  }
  create(spec: Partial<StatefulSet["spec"]> = {}) {
    return this.#cluster.client.create(StatefulSets, webSet(spec), this.#call);
  }
  get() {
    return this.#cluster.client.get(StatefulSets, ref, this.#call);
  }
  patch(spec: object) {
    return this.#cluster.client.patch(StatefulSets, ref, { spec }, { type: "strategic", ...this.#call });
  }
  setImage(image: string) {
    return this.patch({ template: { spec: { containers: [{ name: "web", image }] } } });
  }
  async pods(): Promise<readonly Pod[]> {
    return (await this.#cluster.client.list(Pods, { namespace: "default", ...this.#call })).items;
  }
  async images(): Promise<string> {
    const pods = await this.pods();
    return pods.map(({ metadata, spec }) => `${metadata.name}=${spec.containers[0]?.image}`).join(" ");
  }
  async claims() {
    return (await this.#cluster.client.list(PersistentVolumeClaims, { namespace: "default", ...this.#call })).items;
  }
  async revisions() {
    return (await this.#cluster.client.list(ControllerRevisions, { namespace: "default", ...this.#call })).items;
  }
  settled(replicas: number) {
    return this.#cluster.eventually(
      async () => {
        const { status, metadata } = await this.get();
        assert.equal(status.observedGeneration, metadata.generation);
        assert.deepEqual([status.replicas, status.availableReplicas], [replicas, replicas]);
        assert.equal(status.currentRevision, status.updateRevision);
        assert.equal((await this.pods()).length, replicas);
        return status;
      },
      { withinMs: 300_000 },
    );
  }
}

test("pods come one after the other, with their names, hosts and labels", async () => {
  await using cluster = await TestCluster.start();
  const web = new Web(cluster);
  await web.create();
  await cluster.advance(400);
  assert.deepEqual(
    (await web.pods()).map(({ metadata }) => metadata.name),
    ["web-0"],
  );
  const { updateRevision } = await web.settled(3);
  const [first] = await web.pods();
  assert.deepEqual([first?.spec.hostname, first?.spec.subdomain], ["web-0", "web"]);
  assert.deepEqual(first?.metadata.labels, {
    app: "web",
    "apps.kubernetes.io/pod-index": "0",
    "controller-revision-hash": updateRevision,
    "statefulset.kubernetes.io/pod-name": "web-0",
  });
  await cluster.client.delete(Pods, { namespace: "default", name: "web-1" }, { signal: cluster.signal });
  await web.settled(3);
});

test("an update goes from the top down, halts at a broken pod, and back without needless restarts", async () => {
  await using cluster = await TestCluster.start();
  const web = new Web(cluster);
  await web.create();
  const before = await web.settled(3);
  await web.setImage("nosuch:1");
  await cluster.advance(60_000);
  assert.equal(await web.images(), "web-0=web:1 web-1=web:1 web-2=nosuch:1");
  const untouched = (await web.pods()).filter(({ metadata }) => metadata.name !== "web-2");
  await web.setImage("web:1");
  // A pod that never became ready is not replaced by itself: people have to delete it.
  await cluster.client.delete(Pods, { namespace: "default", name: "web-2" }, { signal: cluster.signal });
  const after = await web.settled(3);
  assert.equal(after.currentRevision, before.currentRevision);
  const kept = await web.pods();
  for (const { metadata } of untouched) assert.ok(kept.some((pod) => pod.metadata.uid === metadata.uid));
  const numbers = (await web.revisions()).map(({ revision }) => revision);
  assert.deepEqual(numbers.sort(), [2, 3]);
});

test("a canary below which the old revision stays, then the rest", async () => {
  await using cluster = await TestCluster.start();
  const web = new Web(cluster);
  await web.create({ updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: 2 } } });
  await web.settled(3);
  await web.setImage("web:2");
  await cluster.eventually(async () => assert.equal(await web.images(), "web-0=web:1 web-1=web:1 web-2=web:2"));
  await cluster.client.delete(Pods, { namespace: "default", name: "web-0" }, { signal: cluster.signal });
  await cluster.eventually(async () => assert.equal(await web.images(), "web-0=web:1 web-1=web:1 web-2=web:2"));
  await web.patch({ updateStrategy: { rollingUpdate: { partition: 0 } } });
  await cluster.eventually(async () => assert.equal(await web.images(), "web-0=web:2 web-1=web:2 web-2=web:2"));
  await web.settled(3);
});

test("scaling down from the top, and history that is kept short", async () => {
  await using cluster = await TestCluster.start();
  const web = new Web(cluster);
  await web.create({ podManagementPolicy: "Parallel", revisionHistoryLimit: 1 });
  await web.settled(3);
  for (const image of ["web:2", "web:3", "web:4"]) {
    await web.setImage(image);
    await web.settled(3);
  }
  assert.equal((await web.revisions()).length, 2);
  await web.patch({ replicas: 1 });
  await web.settled(1);
  assert.deepEqual(
    (await web.pods()).map(({ metadata }) => metadata.name),
    ["web-0"],
  );
});

const claimed = {
  volumeClaimTemplates: [
    {
      metadata: {
        name: "data",
        namespace: "",
        uid: "",
        resourceVersion: "",
        creationTimestamp: "2026-01-01T00:00:00Z",
      },
      spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
      status: {},
    },
  ],
};

test("each pod has claims of its own, which stay or go as the retention policy says", async () => {
  await using cluster = await TestCluster.start({ scripts: () => ({ kind: "runs", startMs: 10, readyMs: 20 }) });
  const web = new Web(cluster);
  await web.create({
    ...claimed,
    replicas: 2,
    podManagementPolicy: "Parallel",
    persistentVolumeClaimRetentionPolicy: { whenScaled: "Delete", whenDeleted: "Retain" },
  });
  await cluster.eventually(async () => assert.equal((await web.pods()).length, 2));
  const claims = await web.claims();
  assert.deepEqual(
    claims.map(({ metadata }) => [metadata.name, metadata.labels, metadata.ownerReferences]),
    [
      ["data-web-0", { app: "web" }, undefined],
      ["data-web-1", { app: "web" }, undefined],
    ],
  );
  const volumes = (await web.pods()).map(({ spec }) => spec.volumes?.find(({ name }) => name === "data"));
  assert.deepEqual(
    volumes.map((volume) => volume?.persistentVolumeClaim?.claimName),
    ["data-web-0", "data-web-1"],
  );
  await web.patch({ replicas: 1 });
  await cluster.eventually(async () => {
    assert.equal((await web.pods()).length, 1);
    assert.deepEqual(
      (await web.claims()).map(({ metadata }) => metadata.name),
      ["data-web-0"],
    );
  });
  const retention = { whenScaled: "Retain", whenDeleted: "Delete" };
  await web.patch({ persistentVolumeClaimRetentionPolicy: retention });
  await cluster.eventually(async () => {
    const [claim] = await web.claims();
    assert.equal(claim?.metadata.ownerReferences?.[0]?.kind, "StatefulSet");
  });
  await cluster.client.delete(StatefulSets, ref, { signal: cluster.signal });
  await cluster.eventually(async () => assert.deepEqual([...(await web.claims()), ...(await web.pods())], []));
});
