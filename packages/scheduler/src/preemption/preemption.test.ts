import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Pod, PodDisruptionBudget } from "@skiff/api";
import { seededRandom } from "@skiff/base";
import { ClusterState } from "../cluster-state.ts";
import { decideOn } from "../fixtures/decide-on.ts";
import { node, pod } from "../fixtures/objects.ts";
import { defaultCandidateLimits } from "./candidate-limits.ts";
import { planPreemption } from "./plan-preemption.ts";
import { VictimCache } from "./victim-cache.ts";

const taking = (
  name: string,
  cpu: string,
  spec: Partial<Pod["spec"]> = {},
  labels: Record<string, string> = {},
): Pod => {
  const plain = pod(name, spec, { requests: { cpu } });
  return { ...plain, metadata: { ...plain.metadata, labels } };
};
const started = (one: Pod, startTime: string): Pod => ({ ...one, status: { ...one.status, startTime } });

function setUp(pods: readonly Pod[], nodes = ["a", "b"]) {
  const state = new ClusterState();
  for (const name of nodes) state.putNode(node(name, { allocatable: { cpu: "4" } }));
  for (const one of pods) state.putPod(one);
  return state;
}

const budget = (labels: Record<string, string>, disruptionsAllowed: number): PodDisruptionBudget => ({
  metadata: {
    name: "b",
    namespace: "default",
    uid: "b",
    resourceVersion: "1",
    creationTimestamp: "2026-01-01T00:00:00Z",
  },
  spec: { selector: { matchLabels: labels } },
  status: { disruptionsAllowed, currentHealthy: 1, desiredHealthy: 1, expectedPods: 1 },
});

function plan(one: Pod, state: ClusterState, budgets: readonly PodDisruptionBudget[] = []) {
  const { decided } = decideOn(one, state);
  assert.equal(decided.node, undefined);
  const limits = defaultCandidateLimits;
  const input = { decided, state, budgets, random: seededRandom(1), limits, cache: new VictimCache() };
  const result = planPreemption(one, input);
  if (result.kind !== "preempt") return result.text;
  const { candidate } = result;
  return `${candidate.node.name}: ${candidate.victims.map(({ metadata }) => metadata.name).join(" ")}`;
}

const urgent = (cpu: string, spec: Partial<Pod["spec"]> = {}) => taking("urgent", cpu, { priority: 100, ...spec });
const on = (nodeName: string, priority = 0) => ({ nodeName, priority });

interface Case {
  readonly what: string;
  readonly pod?: Pod;
  readonly on: readonly Pod[];
  readonly budgets?: readonly PodDisruptionBudget[];
  readonly expected: string;
}

const cases: readonly Case[] = [
  {
    what: "spares whoever may stay, the more important first",
    on: [
      taking("x", "2", on("a", 1)),
      taking("y", "1", on("a", 2)),
      taking("z", "1", on("a", 3)),
      taking("b", "4", on("b", 100)),
    ],
    expected: "a: x",
  },
  {
    what: "takes the node whose highest victim is the least important",
    on: [taking("x", "4", on("a", 5)), taking("y", "4", on("b", 4))],
    expected: "b: y",
  },
  {
    what: "takes the node with the smaller sum of priorities",
    on: [taking("x", "4", on("a", 5)), taking("y", "2", on("b", 5)), taking("z", "2", on("b", 1))],
    pod: urgent("4"),
    expected: "a: x",
  },
  {
    what: "takes the pod that has run the shortest",
    on: [
      started(taking("x", "4", on("a")), "2026-01-02T00:00:00Z"),
      started(taking("y", "4", on("b")), "2026-01-01T00:00:00Z"),
    ],
    expected: "a: x",
  },
  {
    what: "breaks no budget where it need not",
    on: [taking("x", "4", on("a"), { app: "db" }), taking("y", "4", on("b", 50))],
    budgets: [budget({ app: "db" }, 0)],
    expected: "b: y",
  },
  {
    what: "breaks one where it must",
    on: [taking("x", "4", on("a"), { app: "db" }), taking("y", "4", on("b", 100))],
    budgets: [budget({ app: "db" }, 0)],
    expected: "a: x",
  },
  {
    what: "finds nobody less important",
    on: [taking("x", "4", on("a", 100)), taking("y", "4", on("b", 200))],
    expected: "0/2 nodes are available: 2 No preemption victims found for incoming pod.",
  },
  {
    what: "does not help where the node is too small",
    pod: urgent("5"),
    on: [taking("x", "4", on("a"))],
    expected: "0/2 nodes are available: 2 Preemption is not helpful for scheduling.",
  },
  {
    what: "is not for pods that do not want it",
    pod: urgent("2", { preemptionPolicy: "Never" }),
    on: [taking("x", "4", on("a")), taking("y", "4", on("b"))],
    expected: "not eligible due to preemptionPolicy=Never.",
  },
];

describe("preemption", () => {
  for (const { what, pod: one = urgent("2"), on: pods, budgets = [], expected } of cases) {
    it(what, () => assert.equal(plan(one, setUp(pods), budgets), expected));
  }

  it("waits for victims that are on their way out", () => {
    const target = { type: "DisruptionTarget", status: "True", reason: "PreemptionByScheduler" };
    const leaving = taking("x", "4", on("a"));
    const state = setUp([
      {
        ...leaving,
        metadata: { ...leaving.metadata, deletionTimestamp: "2026-01-01T00:00:00Z" },
        status: { conditions: [target] },
      },
      taking("y", "4", on("b")),
    ]);
    state.nominations.put(urgent("2"), "a");
    assert.equal(plan(urgent("2"), state), "not eligible due to a terminating pod on the nominated node.");
  });

  it("counts pods that were promised the room", () => {
    const state = setUp([taking("x", "4", on("a")), taking("y", "4", on("b", 50))]);
    state.removePod("uid-x");
    state.nominations.put(taking("first", "4", { priority: 100 }), "a");
    assert.equal(plan(urgent("2"), state), "b: y");
  });

  it("removes who keeps the pod away", () => {
    const labelSelector = { matchLabels: { app: "web" } };
    const terms = [{ topologyKey: "zone", labelSelector }];
    const hostile = { affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: terms } } };
    const state = new ClusterState();
    state.putNode(node("a", { labels: { zone: "z" } }));
    state.putPod(taking("x", "1", { ...on("a"), ...hostile }));
    state.putPod(taking("y", "1", on("a")));
    assert.equal(plan(taking("p", "1", { priority: 1 }, { app: "web" }), state), "a: x");
  });
});
