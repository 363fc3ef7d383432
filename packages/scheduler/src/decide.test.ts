import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Node } from "@skiff/api";
import { ClusterState } from "./cluster-state.ts";
import { type Rejection, Verdicts } from "./decision.ts";
import { DecisionLog } from "./decision-log.ts";
import { enoughNodes } from "./filter-nodes.ts";
import { decideOn } from "./fixtures/decide-on.ts";
import { node, pod } from "./fixtures/objects.ts";
import { unschedulableMessage } from "./unschedulable-message.ts";

const clusterOf = (all: readonly Node[]) => {
  const state = new ClusterState();
  for (const one of all) state.putNode(one);
  return state;
};
const nodes = (count: number) => clusterOf(Array.from({ length: count }, (_, index) => node(`n${index}`)));
describe("decide", () => {
  const wishes = [{ cpu: "100m", memory: "200Mi" }, {}] as const;
  for (const requests of wishes)
    it(`spreads pods that want ${JSON.stringify(requests)} over nodes that are alike`, () => {
      const on = nodes(10);
      for (let index = 0; index < 50; index++) {
        const one = pod(`p${index}`, {}, { requests });
        on.assume(one, decideOn(one, on).node ?? "");
      }
      assert.deepEqual(
        on.nodes.map(({ podCount }) => podCount),
        on.nodes.map(() => 5),
      );
    });

  it("says why nodes cannot take the pod, each by the first plugin that refuses", () => {
    const spec = { unschedulable: true, taints: [{ key: "k", effect: "NoSchedule" }] };
    const on = clusterOf([node("a", { spec }), node("b", { allocatable: { cpu: "1" } })]);
    const decision = decideOn(pod("p", {}, { requests: { cpu: "2" } }), on);
    assert.equal(decision.node, undefined);
    assert.deepEqual(
      [...decision.rejections],
      [
        ["a", { plugin: "NodeUnschedulable", reason: "node(s) were unschedulable", resolvable: false }],
        ["b", { plugin: "NodeResourcesFit", reason: "Insufficient cpu", resolvable: false }],
      ],
    );
  });

  it("looks at all of a small cluster, and at enough of a large one, from where it left off", () => {
    assert.deepEqual(
      [1, 100, 101, 500, 1000, 5000, 20_000].map((count) => enoughNodes(count)),
      [1, 100, 100, 230, 420, 500, 1000],
    );
    const on = nodes(1000);
    const first = decideOn(pod("p"), on, { start: 900 });
    assert.equal(first.examined, 420);
    assert.ok(first.scores.has("n900") && first.scores.has("n319") && !first.scores.has("n320"));
  });

  it("looks only at the nodes that a daemon's pod names", () => {
    const matchFields = [{ key: "metadata.name", operator: "In", values: ["n7"] }];
    const required = { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchFields }] } };
    const spec = { affinity: { nodeAffinity: required } };
    const decision = decideOn(pod("p", spec), nodes(10), { start: 5 });
    assert.equal(decision.node, "n7");
    assert.equal(decision.examined, 1);
    const refused = decideOn(
      pod("p", spec, { requests: { cpu: "5" } }),
      clusterOf(["n0", "n1", "n2", "n7"].map((name) => node(name))),
    );
    assert.equal(
      unschedulableMessage(4, refused.verdicts, undefined),
      "0/4 nodes are available: 1 Insufficient cpu, 3 node(s) didn't satisfy plugin(s) [NodeAffinity].",
    );
  });
});

describe("unschedulableMessage", () => {
  const lacking = (reason: string): Rejection => ({ plugin: "x", reason, resolvable: true });
  const verdictsOf = (tally: ReadonlyMap<Rejection, number>, wholeReason?: string) => ({ tally, wholeReason });
  const table: readonly (readonly [string, string])[] = [
    [unschedulableMessage(0, verdictsOf(new Map()), undefined), "no nodes available to schedule pods"],
    [
      unschedulableMessage(1, verdictsOf(new Map([[lacking("Insufficient cpu"), 1]])), undefined),
      "0/1 nodes are available: 1 Insufficient cpu.",
    ],
    [
      unschedulableMessage(
        13,
        verdictsOf(
          new Map([
            [lacking("Insufficient cpu\nInsufficient memory"), 1],
            [lacking("Insufficient cpu"), 11],
            [lacking("node(s) were unschedulable"), 1],
          ]),
        ),
        "not eligible due to preemptionPolicy=Never.",
      ),
      "0/13 nodes are available: 1 Insufficient memory, 1 node(s) were unschedulable, 12 Insufficient cpu. no new claims to " +
        "deallocate, preemption: not eligible due to preemptionPolicy=Never.",
    ],
    [
      unschedulableMessage(2, verdictsOf(new Map([[lacking("unbound"), 2]]), "unbound"), undefined),
      "0/2 nodes are available: unbound.",
    ],
  ];
  for (const [found, expected] of table) it(expected, () => assert.equal(found, expected));
});

describe("DecisionLog", () => {
  it("forgets the oldest when it holds too much", () => {
    const log = new DecisionLog();
    const codes = new Uint16Array(500_000);
    const verdicts = new Verdicts({ names: [], start: 0, codes, reasons: [], plugins: [] });
    const decision = { kind: "unschedulable", verdicts, message: "", atMs: 0 } as const;
    for (const uid of ["a", "b", "c", "d", "e"]) log.remember(uid, decision);
    assert.equal(log.get("a"), undefined);
    assert.ok(log.get("b") !== undefined && log.get("e") !== undefined);
    log.forget("b");
    log.remember("f", decision);
    assert.ok(log.get("c") !== undefined);
  });
});
