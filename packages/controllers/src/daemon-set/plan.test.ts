import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { DaemonSet, Node, Pod } from "@skiff/api";
import { ago, meta, nowMs, type PodFacts, podNamed } from "../fixtures/objects.ts";
import { planDaemons, planStatus } from "./plan.ts";

function setOf(spec: Partial<DaemonSet["spec"]> = {}, podSpec: object = {}): DaemonSet {
  return {
    metadata: meta("log"),
    spec: {
      selector: { matchLabels: { app: "log" } },
      template: { metadata: { labels: { app: "log" } }, spec: { containers: [], ...podSpec } },
      updateStrategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } },
      ...spec,
    },
    status: { currentNumberScheduled: 0, desiredNumberScheduled: 0, numberMisscheduled: 0, numberReady: 0 },
  };
}

const node = (name: string, facts: { labels?: Record<string, string>; taint?: [string, string] } = {}): Node => ({
  metadata: { ...meta(name), labels: facts.labels ?? {} },
  spec: facts.taint === undefined ? {} : { taints: [{ key: facts.taint[0], effect: facts.taint[1] }] },
  status: {},
});

const pod = (nodeName: string, facts: PodFacts & { readonly hash?: string; readonly name?: string } = {}): Pod => {
  const { hash = "new", name = `log-${nodeName}`, ...rest } = facts;
  const labels = { app: "log", "controller-revision-hash": hash };
  return podNamed(name, { labels, node: nodeName, readyFor: 100, ...rest });
};

const plan = (set: DaemonSet, nodes: readonly Node[], pods: readonly Pod[]): string => {
  const { create, remove } = planDaemons({ set, nodes, pods, hash: "new", nowMs });
  return [...create.map((name) => `+${name}`), ...remove.map(({ metadata }) => `-${metadata.name}`)].join(" ");
};

const three = [node("a"), node("b"), node("c")];
const old = (name: string, facts: PodFacts = {}) => pod(name, { hash: "old", ...facts });
const surging = (maxSurge: number | string) =>
  setOf({ updateStrategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 0, maxSurge } } });
const byLabel = setOf({}, { nodeSelector: { disk: "ssd" } });

const cases: readonly (readonly [string, DaemonSet, readonly Node[], readonly Pod[], string])[] = [
  ["a pod on each node", setOf(), three, [pod("b")], "+a +c"],
  ["only where the selector says", byLabel, [node("a", { labels: { disk: "ssd" } }), node("b")], [], "+a"],
  ["a pod goes where the node no longer fits", byLabel, [node("a")], [pod("a")], "-log-a"],
  ["not where a taint forbids", setOf(), [node("a", { taint: ["gpu", "NoSchedule"] })], [], ""],
  ["but a pod that is there stays", setOf(), [node("a", { taint: ["gpu", "NoSchedule"] })], [pod("a")], ""],
  ["unless the taint drives it out", setOf(), [node("a", { taint: ["gpu", "NoExecute"] })], [pod("a")], "-log-a"],
  [
    "cordoned nodes, too",
    setOf(),
    [node("a", { taint: ["node.kubernetes.io/unschedulable", "NoSchedule"] })],
    [],
    "+a",
  ],
  ["not while the old one goes", setOf(), [node("a")], [pod("a", { deleting: true })], ""],
  ["a failed pod goes first", setOf(), [node("a")], [pod("a", { phase: "Failed" })], "-log-a"],
  [
    "of two on a node the older stays",
    setOf(),
    [node("a")],
    [pod("a", { name: "log-x", ageSeconds: 5 }), pod("a", { name: "log-y", ageSeconds: 9 })],
    "-log-x",
  ],
  ["an update, one node at a time", setOf(), three, [old("a"), old("b"), old("c")], "-log-a"],
  ["it waits for the new pod", setOf(), three, [pod("a", { readyFor: undefined }), old("b"), old("c")], ""],
  [
    "what is broken is replaced at once",
    setOf(),
    three,
    [old("a", { readyFor: undefined }), old("b"), old("c")],
    "-log-a",
  ],
  [
    "as many as may be missing",
    setOf({ updateStrategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: "50%" } } }),
    three,
    [old("a"), old("b"), old("c")],
    "-log-a -log-b",
  ],
  ["nothing with OnDelete", setOf({ updateStrategy: { type: "OnDelete" } }), three, [old("a"), old("b"), old("c")], ""],
  ["new pods beside the old", surging(1), three, [old("a"), old("b"), old("c")], "+a"],
  ["a share of nodes at a time", surging("50%"), three, [old("a"), old("b"), old("c")], "+a +b"],
  [
    "the old one goes once the new one is available",
    surging(1),
    three,
    [old("a"), pod("a", { name: "log-a2" }), old("b"), old("c")],
    "+b -log-a",
  ],
  [
    "not before",
    surging(1),
    three,
    [old("a"), pod("a", { name: "log-a2", readyFor: undefined }), old("b"), old("c")],
    "",
  ],
  ["a pod for a node that is gone", setOf(), [], [podForNode("x")], "-log-x"],
];

function podForNode(name: string): Pod {
  const made = pod(name, { node: "" });
  const matchFields = [{ key: "metadata.name", operator: "In", values: [name] }];
  const required = { nodeSelectorTerms: [{ matchFields }] };
  made.spec.affinity = { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: required } };
  return made;
}

describe("what to make and delete", () => {
  for (const [name, set, nodes, pods, expected] of cases)
    test(name, () => assert.equal(plan(set, nodes, pods), expected));

  test("nothing for a set that goes", () => {
    const set = setOf();
    set.metadata.deletionTimestamp = ago(1);
    assert.equal(plan(set, three, []), "");
  });
});

test("status", () => {
  const nodes = [...three, node("d", { taint: ["gpu", "NoSchedule"] })];
  const pods = [pod("a"), old("b", { readyFor: 5 }), pod("d")];
  const set = setOf({ minReadySeconds: 30 });
  const { status, recheckMs } = planStatus({ set, nodes, pods, hash: "new", nowMs }, 0);
  assert.deepEqual(status, {
    currentNumberScheduled: 2,
    desiredNumberScheduled: 3,
    numberMisscheduled: 1,
    numberReady: 2,
    numberAvailable: 1,
    numberUnavailable: 2,
    updatedNumberScheduled: 1,
    observedGeneration: 1,
  });
  assert.equal(recheckMs, 25_000);
});

test("of several pods on a node the oldest is told of, also while it goes; pods that wait for the node come last", () => {
  const told = (pods: readonly Pod[]) => {
    const { status } = planStatus({ set: setOf(), nodes: [node("a")], pods, hash: "new", nowMs }, 0);
    return [status.currentNumberScheduled, status.numberReady, status.updatedNumberScheduled];
  };
  const beside = pod("a", { name: "log-a2", ageSeconds: 1 });
  assert.deepEqual(told([old("a"), beside]), [1, 1, undefined], "a surge");
  assert.deepEqual(told([old("a", { deleting: true })]), [1, 1, undefined], "one that goes and still serves");
  assert.deepEqual(told([old("a", { deleting: true, phase: "Failed" }), beside]), [1, 1, 1], "one that has ended");
  const waits = podForNode("a");
  assert.deepEqual(told([{ ...waits, metadata: { ...waits.metadata, creationTimestamp: ago(9_999) } }, old("a")]), [
    1,
    1,
    undefined,
  ]);
});
