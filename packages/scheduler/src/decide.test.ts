import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Pod } from "@skiff/api";
import { seededRandom } from "@skiff/base";
import { type Decided, decide, enoughNodes, type Rejection, unschedulableMessage } from "./decide.ts";
import { DecisionLog } from "./decision-log.ts";
import { node, pod } from "./fixtures/objects.ts";
import { NodeInfo } from "./node-info.ts";
import { defaultPlugins } from "./plugins/list.ts";

const nodes = (count: number) => Array.from({ length: count }, (_, index) => new NodeInfo(node(`n${index}`)));
const decideOn = (one: Pod, on: readonly NodeInfo[], start = 0): Decided =>
  decide(one, { nodes: on, plugins: defaultPlugins, random: seededRandom(1), start });

describe("decide", () => {
  const wishes = [{ cpu: "100m", memory: "200Mi" }, {}] as const;
  for (const requests of wishes)
    it(`spreads pods that want ${JSON.stringify(requests)} over nodes that are alike`, () => {
      const on = nodes(10);
      for (let index = 0; index < 50; index++) {
        const one = pod(`p${index}`, {}, { requests });
        const decision = decideOn(one, on);
        assert.ok(decision.kind === "placed");
        on.find(({ name }) => name === decision.node)?.put(one);
      }
      assert.deepEqual(
        on.map(({ podCount }) => podCount),
        on.map(() => 5),
      );
    });

  it("says why nodes cannot take the pod, each by the first plugin that refuses", () => {
    const spec = { unschedulable: true, taints: [{ key: "k", effect: "NoSchedule" }] };
    const on = [new NodeInfo(node("a", { spec })), new NodeInfo(node("b", { allocatable: { cpu: "1" } }))];
    const decision = decideOn(pod("p", {}, { requests: { cpu: "2" } }), on);
    assert.equal(decision.kind, "unschedulable");
    assert.deepEqual(
      [...decision.rejections],
      [
        ["a", { plugin: "NodeUnschedulable", reason: "node(s) were unschedulable", resolvable: false }],
        ["b", { plugin: "NodeResourcesFit", reason: "Insufficient cpu", resolvable: false }],
      ],
    );
  });

  it("looks at all of a small cluster, and at enough of a large one, from where it left off", () => {
    assert.deepEqual([1, 100, 101, 500, 1000, 5000, 20_000].map(enoughNodes), [1, 100, 100, 230, 420, 500, 1000]);
    const on = nodes(1000);
    const first = decideOn(pod("p"), on, 900);
    assert.ok(first.kind === "placed");
    assert.equal(first.examined, 420);
    assert.ok(first.scores.has("n900") && first.scores.has("n319") && !first.scores.has("n320"));
  });

  it("looks only at the nodes that a daemon's pod names", () => {
    const matchFields = [{ key: "metadata.name", operator: "In", values: ["n7"] }];
    const required = { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchFields }] } };
    const spec = { affinity: { nodeAffinity: required } };
    const decision = decideOn(pod("p", spec), nodes(10), 5);
    assert.ok(decision.kind === "placed");
    assert.equal(decision.node, "n7");
    assert.equal(decision.examined, 1);
    const refused = decideOn(pod("p", spec, { requests: { cpu: "5" } }), nodes(3).concat(new NodeInfo(node("n7"))));
    assert.equal(
      unschedulableMessage(pod("p"), 4, refused.rejections),
      "0/4 nodes are available: 1 Insufficient cpu, 3 node(s) didn't satisfy plugin(s) [NodeAffinity]. no new claims to " +
        "deallocate, preemption: 0/4 nodes are available: 4 Preemption is not helpful for scheduling.",
    );
  });

  it("decides for 1,000 pods on 5,000 nodes in seconds at the most", () => {
    const on = nodes(5000);
    const startMs = performance.now();
    let start = 0;
    for (let index = 0; index < 1000; index++) {
      const decision = decideOn(pod(`p${index}`, {}, { requests: { cpu: "100m" } }), on, start);
      assert.ok(decision.kind === "placed");
      start = (start + decision.examined) % on.length;
    }
    const elapsedMs = performance.now() - startMs;
    assert.ok(elapsedMs < 5_000, `${Math.round(elapsedMs)} ms`);
  });
});

describe("unschedulableMessage", () => {
  const lacking = (reason: string): Rejection => ({ plugin: "x", reason, resolvable: true });
  const refusing = (reason: string): Rejection => ({ plugin: "x", reason, resolvable: false });
  const message = (list: readonly Rejection[], spec: Partial<Pod["spec"]> = {}) =>
    unschedulableMessage(pod("p", spec), list.length, new Map(list.map((one, index) => [`n${index}`, one])));
  const table: readonly (readonly [string, string])[] = [
    [message([]), "no nodes available to schedule pods"],
    [
      message([lacking("Insufficient cpu")]),
      "0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: " +
        "0/1 nodes are available: 1 No preemption victims found for incoming pod.",
    ],
    [
      message([
        lacking("Insufficient cpu\nInsufficient memory"),
        lacking("Insufficient cpu"),
        refusing("node(s) were unschedulable"),
      ]),
      "0/3 nodes are available: 1 Insufficient memory, 1 node(s) were unschedulable, 2 Insufficient cpu. no new claims to " +
        "deallocate, preemption: 0/3 nodes are available: 1 Preemption is not helpful for scheduling, 2 No preemption " +
        "victims found for incoming pod.",
    ],
    [
      message([lacking("Too many pods")], { preemptionPolicy: "Never" }),
      "0/1 nodes are available: 1 Too many pods. no new claims to deallocate, preemption: not eligible due to " +
        "preemptionPolicy=Never.",
    ],
  ];
  for (const [found, expected] of table) it(expected, () => assert.equal(found, expected));
});

describe("DecisionLog", () => {
  it("forgets the oldest when it holds too much", () => {
    const log = new DecisionLog();
    const rejections = new Map(
      Array.from({ length: 50_000 }, (_, n) => [`n${n}`, { plugin: "x", reason: "y", resolvable: true }]),
    );
    for (const uid of ["a", "b", "c", "d"]) log.remember(uid, { kind: "unschedulable", rejections });
    assert.equal(log.get("a"), undefined);
    assert.ok(log.get("b") !== undefined && log.get("d") !== undefined);
    log.forget("b");
    log.remember("e", { kind: "unschedulable", rejections });
    assert.ok(log.get("c") !== undefined);
  });
});
