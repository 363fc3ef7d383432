import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Pod, StatefulSet } from "@skiff/api";
import { meta, nowMs, type PodFacts, podNamed } from "../fixtures/objects.ts";
import { type PodAction, planPods, planStatus } from "./plan.ts";

function setOf(spec: Partial<StatefulSet["spec"]> = {}, status: Partial<StatefulSet["status"]> = {}): StatefulSet {
  return {
    metadata: meta("web"),
    spec: {
      replicas: 3,
      podManagementPolicy: "OrderedReady",
      updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: 0 } },
      selector: { matchLabels: { app: "web" } },
      template: { metadata: { labels: { app: "web" } } },
      ...spec,
    },
    status: { replicas: 0, ...status },
  };
}

function pod(ordinal: number, facts: PodFacts & { readonly revision?: string } = {}): Pod {
  const { revision = "new", ...rest } = facts;
  const labels = {
    app: "web",
    "statefulset.kubernetes.io/pod-name": `web-${ordinal}`,
    "apps.kubernetes.io/pod-index": String(ordinal),
    "controller-revision-hash": revision,
  };
  return podNamed(`web-${ordinal}`, { labels, readyFor: 100, ...rest });
}

/** `+2new`: create ordinal 2 of the new revision; `-1old`: delete web-1 because it is old; `~0`: relabel. */
const text = (action: PodAction): string => {
  switch (action.kind) {
    case "create":
      return `+${action.ordinal}${action.revision}`;
    case "delete":
      return `-${action.pod.metadata.name.slice(4)}${action.why}`;
    case "relabel":
      return `~${action.ordinal}`;
  }
};

const plan = (set: StatefulSet, pods: readonly Pod[]): string =>
  planPods({ set, pods, currentRevision: "old", updateRevision: "new", nowMs }).map(text).join(" ");

const parallel = { podManagementPolicy: "Parallel" };
const notReady = { readyFor: undefined };
const rolling = (rollingUpdate: object) => ({ updateStrategy: { type: "RollingUpdate", rollingUpdate } });

const cases: readonly (readonly [string, StatefulSet, readonly Pod[], string])[] = [
  ["the first pod alone", setOf(), [], "+0update"],
  ["all at once in parallel", setOf(parallel), [], "+0update +1update +2update"],
  ["the next one when the one before is ready", setOf(), [pod(0)], "+1update"],
  ["not before it is ready", setOf(), [pod(0, notReady)], ""],
  ["not before it is available", setOf({ minReadySeconds: 200 }), [pod(0)], ""],
  ["not while it goes", setOf(), [pod(0, { deleting: true }), pod(1)], ""],
  ["a gap is filled first", setOf(), [pod(0), pod(2)], "+1update"],
  ["a failed pod is made anew", setOf(), [pod(0), pod(1, { phase: "Failed" }), pod(2)], "-1ended"],
  ["a finished one too, once", setOf(parallel), [pod(0, { phase: "Succeeded", deleting: true }), pod(1), pod(2)], ""],
  ["ordinals that begin elsewhere", setOf({ ordinals: { start: 5 }, replicas: 1 }), [], "+5update"],
  ["what is below the start goes", setOf({ ordinals: { start: 5 }, replicas: 1 }), [pod(5), pod(0)], "-0surplus"],
  ["one surplus pod at a time, the highest", setOf({ replicas: 1 }), [pod(0), pod(1), pod(2)], "-2surplus"],
  [
    "all surplus pods in parallel",
    setOf({ replicas: 1, ...parallel }),
    [pod(0), pod(1), pod(2)],
    "-2surplus -1surplus",
  ],
  ["shrinking waits for one that goes", setOf({ replicas: 1 }), [pod(0), pod(1), pod(2, { deleting: true })], ""],
  ["shrinking halts below a broken pod", setOf({ replicas: 1 }), [pod(0, notReady), pod(1), pod(2)], ""],
  ["the broken pod itself may go", setOf({ replicas: 1 }), [pod(0), pod(1), pod(2, notReady)], "-2surplus"],
  ["a broken one below holds up those above", setOf({ replicas: 1 }), [pod(0), pod(1, notReady), pod(2, notReady)], ""],
  ["old pods from the top, one by one", setOf(), [0, 1, 2].map((at) => pod(at, { revision: "old" })), "-2old"],
  [
    "the update waits for the pod before",
    setOf(parallel),
    [pod(0, { revision: "old" }), pod(1, { revision: "old" }), pod(2, notReady)],
    "",
  ],
  ["and goes on", setOf(), [pod(0, { revision: "old" }), pod(1, { revision: "old" }), pod(2)], "-1old"],
  [
    "down to the partition",
    setOf(rolling({ partition: 2 })),
    [pod(0, { revision: "old" }), pod(1, { revision: "old" }), pod(2)],
    "",
  ],
  [
    "which is counted from the first ordinal",
    setOf({ ...rolling({ partition: 1 }), ordinals: { start: 5 } }),
    [5, 6, 7].map((at) => pod(at, at > 5 ? {} : { revision: "old" })),
    "",
  ],
  [
    "and pods below it come back as they were",
    setOf({ ...rolling({ partition: 1 }), ordinals: { start: 5 } }),
    [],
    "+5current",
  ],
  ["below the partition pods come back as they were", setOf(rolling({ partition: 1 })), [], "+0current"],
  [
    "several at a time",
    setOf(rolling({ maxUnavailable: 2 })),
    [0, 1, 2].map((at) => pod(at, { revision: "old" })),
    "-2old -1old",
  ],
  [
    "a share of them",
    setOf({ ...rolling({ maxUnavailable: "67%" }), replicas: 3 }),
    [0, 1, 2].map((at) => pod(at, { revision: "old" })),
    "-2old -1old",
  ],
  [
    "rounded down, but one at least",
    setOf({ ...rolling({ maxUnavailable: "20%" }), replicas: 3 }),
    [0, 1, 2].map((at) => pod(at, { revision: "old" })),
    "-2old",
  ],
  [
    "an old pod that is broken is replaced although others wait",
    setOf(parallel),
    [pod(0, { revision: "old", ...notReady }), pod(1, { revision: "old" }), pod(2)],
    "-0old",
  ],
  [
    "nothing with OnDelete",
    setOf({ updateStrategy: { type: "OnDelete" } }),
    [pod(0, { revision: "old" }), pod(1), pod(2)],
    "",
  ],
  [
    "labels are mended",
    setOf(),
    [pod(0, { labels: { app: "web", "controller-revision-hash": "new" } }), pod(1), pod(2)],
    "~0",
  ],
];

describe("what to do next", () => {
  for (const [name, set, pods, expected] of cases) test(name, () => assert.equal(plan(set, pods), expected));

  test("nothing for a set that goes", () => {
    const set = setOf();
    set.metadata.deletionTimestamp = set.metadata.creationTimestamp;
    assert.equal(plan(set, []), "");
  });
});

describe("status", () => {
  const status = (set: StatefulSet, pods: readonly Pod[]) =>
    planStatus({ set, pods, currentRevision: "old", updateRevision: "new", nowMs }, 0);

  test("in the middle of an update", () => {
    const pods = [pod(0, { revision: "old" }), pod(1, { revision: "old", deleting: true }), pod(2, notReady)];
    assert.deepEqual(status(setOf(), pods).status, {
      observedGeneration: 1,
      replicas: 3,
      readyReplicas: 2,
      availableReplicas: 2,
      currentReplicas: 1,
      updatedReplicas: 1,
      currentRevision: "old",
      updateRevision: "new",
      collisionCount: 0,
    });
  });

  test("a finished update makes the new revision current", () => {
    const { currentRevision, currentReplicas, updatedReplicas } = status(setOf(), [pod(0), pod(1), pod(2)]).status;
    assert.deepEqual([currentRevision, currentReplicas, updatedReplicas], ["new", 3, 3]);
  });

  test("ready pods become available with time", () => {
    const plan = status(setOf({ minReadySeconds: 130 }), [pod(0), pod(1, { readyFor: 140 })]);
    assert.equal(plan.status.availableReplicas, 1);
    assert.equal(plan.recheckMs, 30_000);
  });
});
