import assert from "node:assert/strict";
import { test } from "node:test";
import { isPodTerminal, Pods, podReady } from "@skiff/api";
import { TestCluster } from "@skiff/testing";
import { Web } from "../fixtures/workloads.ts";

/** Watches the pods of the whole run: how few were ready, how many there were. */
function extremes(cluster: TestCluster): { readonly fewestReady: () => number; readonly most: () => number } {
  const pods = cluster.informers.for(Pods);
  let fewest = Number.POSITIVE_INFINITY;
  let most = 0;
  pods.onChange(() => {
    const living = pods.list("default").filter((pod) => !isPodTerminal(pod) && !pod.metadata.deletionTimestamp);
    most = Math.max(most, living.length);
    fewest = Math.min(fewest, living.filter(podReady).length);
  });
  return { fewestReady: () => fewest, most: () => most };
}

test("a new template is rolled out within its leeway, told in Kubernetes' words", async () => {
  await using cluster = await TestCluster.start({ nodes: 3 });
  const web = new Web(cluster);
  await web.create({ replicas: 4, strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 1 } } });
  const first = await web.rolledOut();
  assert.equal(first.metadata.annotations?.["deployment.kubernetes.io/revision"], "1");
  const [oldSet] = await web.sets();
  const watched = extremes(cluster);
  await cluster.advance(0);
  await web.setImage("skiff/hello:2");
  const second = await web.rolledOut();
  assert.ok(watched.fewestReady() >= 3, `at least 3 ready, not ${watched.fewestReady()}`);
  assert.ok(watched.most() <= 5, `at most 5 pods, not ${watched.most()}`);
  assert.equal(second.metadata.annotations?.["deployment.kubernetes.io/revision"], "2");
  const [, newSet] = await web.sets();
  assert.deepEqual(await web.condition("Progressing"), {
    status: "True",
    reason: "NewReplicaSetAvailable",
    message: `ReplicaSet "${newSet?.metadata.name}" has successfully progressed.`,
  });
  assert.deepEqual(await web.condition("Available"), {
    status: "True",
    reason: "MinimumReplicasAvailable",
    message: "Deployment has minimum availability.",
  });
  await cluster.advance(1000);
  const told = await web.events("web");
  assert.equal(told[0], `ScalingReplicaSet Scaled up replica set ${oldSet?.metadata.name} from 0 to 4`);
  assert.equal(told[1], `ScalingReplicaSet Scaled up replica set ${newSet?.metadata.name} from 0 to 1`);
  assert.equal(told[2], `ScalingReplicaSet Scaled down replica set ${oldSet?.metadata.name} from 4 to 3`);
  assert.equal(told.at(-1), `ScalingReplicaSet Scaled down replica set ${oldSet?.metadata.name} from 1 to 0`);
});

test("a template that comes back brings its old ReplicaSet back, as a new revision", async () => {
  await using cluster = await TestCluster.start();
  const web = new Web(cluster);
  await web.create({ revisionHistoryLimit: 2 });
  await web.rolledOut();
  const [first] = await web.sets();
  await web.setImage("skiff/hello:2");
  await web.rolledOut();
  await web.setImage("skiff/hello:1");
  await web.rolledOut();
  const sets = await web.sets();
  assert.equal(sets.length, 2);
  assert.equal(sets[1]?.metadata.uid, first?.metadata.uid);
  assert.equal(sets[1]?.metadata.annotations?.["deployment.kubernetes.io/revision"], "3");
  assert.equal(sets[1]?.metadata.annotations?.["deployment.kubernetes.io/revision-history"], "1");
  assert.equal(sets[1]?.spec.replicas, 3);
  for (const image of ["a", "b", "c"]) {
    await web.setImage(image);
    await web.rolledOut();
  }
  await cluster.eventually(async () => assert.equal((await web.sets()).length, 3));
});

test("a rollout that cannot go on says so after its deadline; the old pods keep serving; undoing it mends it", async () => {
  await using cluster = await TestCluster.start({ nodes: 2 });
  const web = new Web(cluster);
  await web.create({ progressDeadlineSeconds: 60 });
  await web.rolledOut();
  await web.setImage("nosuch:1");
  await cluster.advance(50_000);
  assert.equal((await web.condition("Progressing")).reason, "ReplicaSetUpdated");
  await cluster.advance(15_000);
  const [, stuck] = await web.sets();
  assert.deepEqual(await web.condition("Progressing"), {
    status: "False",
    reason: "ProgressDeadlineExceeded",
    message: `ReplicaSet "${stuck?.metadata.name}" has timed out progressing.`,
  });
  assert.equal((await web.get()).status.availableReplicas, 3);
  await web.setImage("skiff/hello:1");
  await web.rolledOut();
  assert.equal((await web.condition("Progressing")).reason, "NewReplicaSetAvailable");
});

test("scaling up and down; in the middle of a rollout every revision gets its share", async () => {
  await using cluster = await TestCluster.start({ nodes: 3 });
  const web = new Web(cluster);
  await web.create({ replicas: 10, strategy: { rollingUpdate: { maxSurge: 3, maxUnavailable: 2 } } });
  await web.rolledOut();
  await web.setImage("nosuch:1");
  await cluster.advance(10_000);
  const sizes = async () => (await web.sets()).map(({ spec }) => spec.replicas);
  assert.deepEqual(await sizes(), [8, 5]);
  await web.patch({ replicas: 15 });
  await cluster.advance(10_000);
  assert.deepEqual(await sizes(), [11, 7]);
  await web.setImage("skiff/hello:1");
  await web.rolledOut();
  await web.patch({ replicas: 1 });
  await web.rolledOut();
  await web.patch({ replicas: 0 });
  await web.rolledOut();
  assert.equal((await web.get()).status.replicas, undefined);
});

test("a paused deployment changes size but not template", async () => {
  await using cluster = await TestCluster.start();
  const web = new Web(cluster);
  await web.create();
  await web.rolledOut();
  await web.patch({ paused: true });
  await cluster.advance(1000);
  await web.setImage("skiff/hello:2");
  await web.patch({ replicas: 5 });
  await cluster.advance(5_000);
  assert.deepEqual(
    (await web.sets()).map(({ spec }) => spec.replicas),
    [5],
  );
  assert.equal((await web.condition("Progressing")).reason, "DeploymentPaused");
  await web.patch({ paused: false });
  await web.rolledOut();
  assert.deepEqual(
    (await web.sets()).map(({ spec }) => spec.replicas),
    [0, 5],
  );
});

test("with Recreate no new pod exists beside an old one", async () => {
  await using cluster = await TestCluster.start();
  const web = new Web(cluster);
  await web.create({ strategy: { type: "Recreate" } });
  await web.rolledOut();
  const pods = cluster.informers.for(Pods);
  let mixed = false;
  pods.onChange(() => {
    const images = new Set(pods.list("default").map(({ spec }) => spec.containers[0]?.image));
    mixed ||= images.size > 1;
  });
  await web.setImage("skiff/hello:2");
  await web.rolledOut();
  assert.equal(mixed, false);
  assert.deepEqual(
    (await web.sets()).map(({ spec }) => spec.replicas),
    [0, 3],
  );
});
