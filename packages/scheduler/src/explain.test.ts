import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ClusterState } from "./cluster-state.ts";
import { explain } from "./explain.ts";
import { decideOn } from "./fixtures/decide-on.ts";
import { node, pod } from "./fixtures/objects.ts";

const state = new ClusterState();
state.putNode(node("small", { allocatable: { cpu: "1" } }));
state.putNode(node("large", { allocatable: { cpu: "8" } }));
state.putNode(node("medium"));

describe("explain", () => {
  it("tells why a node was chosen: the best first, with the scores of each plugin", () => {
    const one = pod("p", {}, { requests: { cpu: "2" } });
    const { verdicts, node: chosen = "" } = decideOn(one, state);
    const { decision, message } = explain(one, { kind: "placed", node: chosen, verdicts, atMs: 0 }, "");
    assert.equal(message, "assigned to large, the best of 2 nodes that could take the pod");
    assert.deepEqual(
      decision?.nodes.map(({ name }) => name),
      ["large", "medium", "small"],
    );
    const [best, second, last] = decision?.nodes ?? [];
    assert.ok(best !== undefined && "score" in best && second !== undefined && "score" in second);
    assert.ok((best.score ?? 0) > (second.score ?? 0));
    const sum = Object.entries(best.scores ?? {}).reduce(
      (total, [plugin, score]) => total + score * (decision?.weights?.[plugin] ?? 0),
      0,
    );
    assert.equal(best.score, sum);
    assert.deepEqual(last, {
      name: "small",
      rejectedBy: "NodeResourcesFit",
      reason: "Insufficient cpu",
      othersInTheWay: false,
    });
  });

  it("says what there is to say without a decision", () => {
    const { message, decision } = explain(pod("p"), undefined, "not tried yet");
    assert.deepEqual([message, decision], ["not tried yet", undefined]);
  });
});
