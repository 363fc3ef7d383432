import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ClusterState } from "./cluster-state.ts";
import { decideOn } from "./fixtures/decide-on.ts";
import { node, pod } from "./fixtures/objects.ts";
import type { FilterRequest } from "./framework.ts";
import { nodeResourcesFit as createResourcesFit } from "./plugins/node-resources.ts";
import { createProfile } from "./profile.ts";

const nodeResourcesFit = createResourcesFit();
const wanting = (name: string, cpu: string, spec = {}) => pod(name, spec, { requests: { cpu } });

/** A cluster of four nodes, and a profile that notes which of them its filter is asked about. */
function setUp() {
  const state = new ClusterState();
  for (const name of ["a", "b", "c", "d"]) state.putNode(node(name));
  const asked: string[] = [];
  const filter = (request: FilterRequest) => {
    asked.push(request.node.name);
    return nodeResourcesFit.filter?.(request) ?? assert.fail();
  };
  const profile = createProfile({ plugins: [{ ...nodeResourcesFit, filter }] });
  const decide = (one = wanting("p", "3")) => {
    asked.length = 0;
    const { verdicts } = decideOn(one, state, { profile });
    return { feasible: [...verdicts.feasible].sort().join(" "), asked: asked.join(" ") };
  };
  return { state, decide, profile };
}

describe("how nodes stand", () => {
  it("is asked once, and again of nodes that have changed", () => {
    const { state, decide } = setUp();
    assert.deepEqual(decide(), { feasible: "a b c d", asked: "a b c d" });
    assert.deepEqual(decide(wanting("q", "3")), { feasible: "a b c d", asked: "" });
    state.assume(wanting("r", "2"), "b");
    assert.deepEqual(decide(), { feasible: "a c d", asked: "b" });
    state.forget("uid-r");
    state.putNode(node("c", { allocatable: { cpu: "1" } }));
    assert.deepEqual(decide(), { feasible: "a b d", asked: "b c" });
    assert.deepEqual(decide(wanting("s", "1")), { feasible: "a b c d", asked: "a b c d" });
  });

  it("follows nodes that come and go, also one in the place of another", () => {
    const { state, decide } = setUp();
    decide();
    state.removeNode("b");
    assert.deepEqual(decide(), { feasible: "a c d", asked: "" });
    state.putNode(node("e", { allocatable: { cpu: "1" } }));
    assert.deepEqual(decide(), { feasible: "a c d", asked: "e" });
    for (const name of ["f", "g", "h"]) state.putNode(node(name));
    assert.deepEqual(decide().feasible, "a c d f g h");
  });

  it("asks about all nodes again when more has changed than is remembered", () => {
    const { state, decide } = setUp();
    decide();
    for (let time = 0; time < 10_000; time++) {
      state.assume(wanting("r", "2"), "b");
      state.forget("uid-r");
    }
    state.assume(wanting("r", "2"), "a");
    assert.deepEqual(decide(), { feasible: "b c d", asked: "a b c d" });
  });

  it("is known of a full cluster without a look at it, in the order of the list", () => {
    const { state, decide, profile } = setUp();
    for (const name of ["a", "b", "c", "d"]) state.assume(wanting(`on-${name}`, "2"), name);
    assert.deepEqual(decide(), { feasible: "", asked: "a b c d" });
    assert.deepEqual(decide(), { feasible: "", asked: "" });
    const { rejections, examined, decided } = decideOn(wanting("p", "3"), state, { profile, start: 3 });
    assert.deepEqual([[...rejections.keys()].join(" "), examined], ["d a b c", 4]);
    const { resolvable } = decided;
    const names = Array.from({ length: resolvable.length }, (_, index) => resolvable.at(index)?.name);
    assert.deepEqual(names, ["d", "a", "b", "c"]);
    state.forget("uid-on-c");
    assert.deepEqual(decide(), { feasible: "c", asked: "c" });
    state.assume(wanting("on-c", "2"), "c");
    assert.deepEqual(decide(), { feasible: "", asked: "c" });
    state.putNode(node("e"));
    assert.deepEqual(decide(), { feasible: "e", asked: "e" });
    state.removeNode("e");
    state.removeNode("b");
    assert.deepEqual(decide(), { feasible: "", asked: "" });
    state.forget("uid-on-d");
    assert.deepEqual(decide(), { feasible: "d", asked: "d" });
  });

  it("leaves nodes to the pods that are nominated to them, unless these are less important", () => {
    const { state, decide } = setUp();
    const first = wanting("first", "3", { priority: 10 });
    decide();
    state.nominations.put(first, "b");
    assert.deepEqual(decide(), { feasible: "a c d", asked: "b" });
    assert.equal(decide(wanting("urgent", "3", { priority: 11 })).feasible, "a b c d");
    assert.equal(decide(first).feasible, "b", "who is nominated has it");
    state.assume(wanting("r", "2"), "b");
    assert.equal(decide(first).feasible, "a c d", "unless it does not do any more");
    state.forget("uid-r");
    state.nominations.remove("uid-first");
    assert.deepEqual(decide(), { feasible: "a b c d", asked: "b" });
  });
});
