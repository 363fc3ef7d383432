import assert from "node:assert/strict";
import { test } from "node:test";
import type { Deployment, ReplicaSet } from "@skiff/api";
import { ago, deploymentOf, nowMs, setNamed } from "../fixtures/objects.ts";
import { newReplicaSet } from "./new-replica-set.ts";
import { planDeployment } from "./plan.ts";
import { revisionFrom } from "./revision.ts";
import { isScaling } from "./scaling.ts";

interface Case {
  readonly name: string;
  readonly deployment: Deployment;
  readonly sets: readonly ReplicaSet[];
  readonly running?: readonly string[];
  /** Size of the set to create; absent: none. */
  readonly create?: number;
  readonly sizes?: Readonly<Record<string, number>>;
}

const rolling = (replicas: number, maxSurge: number | string, maxUnavailable: number | string) =>
  deploymentOf({ replicas, strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge, maxUnavailable } } });
const sized = (set: ReplicaSet, desired: number, max: number): ReplicaSet => ({
  ...set,
  metadata: {
    ...set.metadata,
    annotations: {
      "deployment.kubernetes.io/desired-replicas": String(desired),
      "deployment.kubernetes.io/max-replicas": String(max),
    },
  },
});
const current = (replicas: number, available = replicas) => setNamed("new", { replicas, available, image: "new" });
const old = (replicas: number, available = replicas) => setNamed("old", { replicas, available });
const behind = (set: ReplicaSet): ReplicaSet => ({
  ...set,
  metadata: { ...set.metadata, generation: 3 },
  status: { ...set.status, replicas: set.status?.replicas ?? 0, observedGeneration: 2 },
});

const cases: readonly Case[] = [
  { name: "first: all at once", deployment: rolling(3, 1, 0), sets: [], create: 3 },
  { name: "a new template starts with the surge", deployment: rolling(3, 1, 0), sets: [old(3)], create: 1 },
  {
    name: "surge of zero frees a place first",
    deployment: rolling(3, 0, 1),
    sets: [old(3)],
    create: 0,
    sizes: { old: 2 },
  },
  {
    name: "percentages: surge up, unavailable down",
    deployment: rolling(10, "25%", "25%"),
    sets: [old(10)],
    create: 3,
    sizes: { old: 8 },
  },
  {
    name: "both zero means one unavailable",
    deployment: rolling(3, 0, "0%"),
    sets: [old(3), current(0)],
    sizes: { old: 2 },
  },
  {
    name: "pods of a set that was made smaller a moment ago do not count as available",
    deployment: rolling(10, 2, 2),
    sets: [old(10), current(2, 8)],
    sizes: { old: 6 },
  },
  {
    name: "waits for a set that has not kept up with its size",
    deployment: rolling(10, 2, 2),
    sets: [old(6), behind(current(6))],
    sizes: {},
  },
  {
    name: "waits for the new pod to be available",
    deployment: rolling(3, 1, 0),
    sets: [old(3), current(1, 0)],
    sizes: {},
  },
  { name: "then an old one goes", deployment: rolling(3, 1, 0), sets: [old(3), current(1)], sizes: { old: 2 } },
  { name: "then the next new one comes", deployment: rolling(3, 1, 0), sets: [old(2), current(1)], sizes: { new: 2 } },
  {
    name: "old pods that do not serve go first, and at once",
    deployment: rolling(10, 0, 2),
    sets: [old(8, 5), current(2, 2)],
    sizes: { old: 6 },
  },
  {
    name: "too many new ones shrink to what is wanted",
    deployment: rolling(3, 1, 0),
    sets: [current(5)],
    sizes: { new: 3 },
  },
  {
    name: "scaled in the middle: in proportion",
    deployment: rolling(15, 3, 2),
    sets: [sized(old(8), 10, 13), sized(current(5, 0), 10, 13)],
    sizes: { old: 11, new: 7 },
  },
  {
    name: "scaled to zero: all of them",
    deployment: rolling(0, 3, 2),
    sets: [sized(old(8), 10, 13), sized(current(5), 10, 13)],
    sizes: { old: 0, new: 0 },
  },
  {
    name: "paused: no new template, but scaling",
    deployment: deploymentOf({ paused: true, replicas: 5 }),
    sets: [sized(old(3), 3, 4)],
    sizes: { old: 5 },
  },
  {
    name: "scaled up in the middle of a rollout: each by its share, the rest to the largest",
    deployment: rolling(120, 20, 0),
    sets: [sized(old(100), 100, 120), sized(current(20, 0), 100, 120)],
    sizes: { old: 117, new: 23 },
  },
  {
    name: "Recreate: old ones go first",
    deployment: deploymentOf({ strategy: { type: "Recreate" } }),
    sets: [old(3)],
    sizes: { old: 0 },
  },
  {
    name: "Recreate: waits for their end",
    deployment: deploymentOf({ strategy: { type: "Recreate" } }),
    sets: [old(0)],
    running: ["old"],
    sizes: {},
  },
  {
    name: "Recreate: waits for what an old set still counts",
    deployment: deploymentOf({ strategy: { type: "Recreate" } }),
    sets: [{ ...old(0), status: { replicas: 1, observedGeneration: 1 } }],
    sizes: {},
  },
  {
    name: "Recreate: then all new ones",
    deployment: deploymentOf({ strategy: { type: "Recreate" } }),
    sets: [old(0)],
    create: 3,
  },
];

for (const { name, deployment, sets, running = [], create, sizes = {} } of cases) {
  test(`sizes: ${name}`, () => {
    const plan = planDeployment({ deployment, sets, hasRunningPods: (set) => running.includes(set), nowMs });
    assert.equal(plan.create?.spec?.replicas, create);
    const changed = plan.change.filter(({ from, to }) => from !== to).map(({ set, to }) => [set.metadata.name, to]);
    assert.deepEqual(Object.fromEntries(changed), sizes);
  });
}

const progressing = (reason: string, secondsAgo: number, status = "True") => ({
  type: "Progressing",
  status,
  reason,
  message: "m",
  lastUpdateTime: ago(secondsAgo),
  lastTransitionTime: ago(secondsAgo),
});

const reasons = [
  {
    name: "nothing yet, a set is found",
    conditions: [],
    sets: [old(3), current(1, 0)],
    expected: "FoundNewReplicaSet",
  },
  {
    name: "new pods",
    conditions: [progressing("NewReplicaSetCreated", 5)],
    sets: [old(2), current(2)],
    expected: "ReplicaSetUpdated",
  },
  {
    name: "all there",
    conditions: [progressing("ReplicaSetUpdated", 5)],
    sets: [current(3)],
    expected: "NewReplicaSetAvailable",
  },
  {
    name: "stuck before the deadline",
    conditions: [progressing("ReplicaSetUpdated", 590)],
    sets: [old(3), current(1, 0)],
    expected: "ReplicaSetUpdated",
  },
  {
    name: "stuck after it",
    conditions: [progressing("ReplicaSetUpdated", 601)],
    sets: [old(3), current(1, 0)],
    expected: "ProgressDeadlineExceeded",
  },
  {
    name: "a finished rollout does not get stuck when a pod is lost",
    conditions: [progressing("NewReplicaSetAvailable", 9000)],
    sets: [current(3, 2)],
    expected: "NewReplicaSetAvailable",
  },
];

for (const { name, conditions, sets, expected } of reasons) {
  test(`progress: ${name}`, () => {
    const seen =
      name === "new pods" ? 3 : sets.reduce((total, { status }) => total + (status.availableReplicas ?? 0), 0);
    const updated = sets.find(({ metadata }) => metadata.name === "new")?.status.replicas ?? 0;
    const before = {
      conditions,
      replicas: sets.reduce((total, { status }) => total + status.replicas, 0),
      readyReplicas: seen,
      availableReplicas: seen,
      updatedReplicas: updated,
    };
    const plan = planDeployment({ deployment: deploymentOf({}, before), sets, hasRunningPods: () => false, nowMs });
    assert.equal(plan.status.conditions?.find(({ type }) => type === "Progressing")?.reason, expected);
  });
}

test("the oldest revisions beyond the limit are forgotten, those with pods are not", () => {
  const past = (revision: number, replicas: number): ReplicaSet => {
    const set = setNamed(`r${revision}`, { replicas, image: `i${revision}` });
    return {
      ...set,
      metadata: { ...set.metadata, annotations: { "deployment.kubernetes.io/revision": String(revision) } },
    };
  };
  const sets = [past(3, 0), past(1, 0), past(2, 1), past(4, 0), current(3)];
  const deployment = deploymentOf({ revisionHistoryLimit: 1, paused: true });
  const plan = planDeployment({ deployment, sets, hasRunningPods: () => false, nowMs });
  assert.deepEqual(
    plan.remove.map(({ metadata }) => metadata.name),
    ["r1", "r3"],
  );
  assert.equal(plan.revision, "5");
});

for (const [said, scales] of [
  ["4", true],
  ["3", false],
  ["", false],
  ["many", false],
  ["-4", false],
  ["2147483648", false],
] as const)
  test(`a set that was sized for ${JSON.stringify(said)} pods ${scales ? "is" : "is not"} to be scaled`, () => {
    const set = current(2);
    const annotations = { "deployment.kubernetes.io/desired-replicas": said };
    const others = [old(1), { ...set, metadata: { ...set.metadata, annotations } }].map(revisionFrom);
    assert.equal(isScaling(deploymentOf({ replicas: 3 }), others), scales);
  });

test("a long name makes room for the hash", () => {
  const deployment = deploymentOf({});
  const named = (name: string) => newReplicaSet({ ...deployment, metadata: { ...deployment.metadata, name } });
  const hash = named("web").metadata.labels?.["pod-template-hash"] ?? "";
  assert.equal(named("web").metadata.name, `web-${hash}`);
  assert.equal(named("w".repeat(253)).metadata.name, `${"w".repeat(252 - hash.length)}-${hash}`);
});

test("revisions have 64 bits", () => {
  const old = setNamed("old", { replicas: 1, image: "old" });
  const annotations = { "deployment.kubernetes.io/revision": "3546343826724305832" };
  const sets = [{ ...old, metadata: { ...old.metadata, annotations } }, current(1)];
  const plan = planDeployment({ deployment: deploymentOf({}), sets, hasRunningPods: () => false, nowMs });
  assert.equal(plan.revision, "3546343826724305833");
});
