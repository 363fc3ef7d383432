import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ClusterState } from "./cluster-state.ts";
import { node, pod } from "./fixtures/objects.ts";

const requests = { cpu: "1" };
const on = (nodeName: string | undefined, phase = "Pending") =>
  pod("p", nodeName === undefined ? {} : { nodeName }, { requests, phase });

/** Milli-cores taken, by node. */
const taken = (state: ClusterState) =>
  Object.fromEntries(state.nodes.map(({ name, requested }) => [name, requested.get("cpu") ?? 0]));

function setUp(): ClusterState {
  const state = new ClusterState();
  state.putNode(node("a"));
  state.putNode(node("b"));
  return state;
}

describe("ClusterState", () => {
  it("counts pods where they are, once", () => {
    const state = setUp();
    state.putPod(on("a"));
    state.putPod(on("a"));
    assert.deepEqual(taken(state), { a: 1000, b: 0 });
    state.removePod("uid-p");
    assert.deepEqual(taken(state), { a: 0, b: 0 });
  });

  it("does not count pods that have ended, nor pods without a node", () => {
    const state = setUp();
    state.putPod(on(undefined));
    assert.deepEqual(taken(state), { a: 0, b: 0 });
    state.putPod(on("a"));
    state.putPod(on("a", "Succeeded"));
    assert.deepEqual(taken(state), { a: 0, b: 0 });
  });

  it("counts assumed pods until the binding failed or came back", () => {
    const state = setUp();
    state.assume(on(undefined), "a");
    state.putPod(on(undefined));
    assert.deepEqual(taken(state), { a: 1000, b: 0 });
    state.forget("uid-p");
    assert.deepEqual(taken(state), { a: 0, b: 0 });
    state.assume(on(undefined), "a");
    state.putPod(on("a"));
    state.forget("uid-p");
    assert.deepEqual(taken(state), { a: 1000, b: 0 }, "what is bound is not forgotten");
  });

  it("believes the API when somebody else bound the pod elsewhere", () => {
    const state = setUp();
    state.assume(on(undefined), "a");
    state.putPod(on("b"));
    assert.deepEqual(taken(state), { a: 0, b: 1000 });
  });

  it("keeps pods of unknown nodes until the node comes", () => {
    const state = setUp();
    state.putPod(on("c"));
    assert.deepEqual(taken(state), { a: 0, b: 0 });
    state.putNode(node("c"));
    assert.equal(taken(state).c, 1000);
    state.removeNode("c");
    state.putNode(node("c"));
    assert.equal(taken(state).c, 1000, "the node came back, its pods with it");
    state.removeNode("c");
    state.removePod("uid-p");
    state.putNode(node("c"));
    assert.equal(taken(state).c, 0);
  });

  it("replaces a node without losing its pods, and gives one list until nodes come or go", () => {
    const state = setUp();
    const { nodes } = state;
    state.putPod(on("a"));
    state.putNode(node("a", { allocatable: { cpu: "8" } }));
    assert.equal(state.nodes, nodes);
    assert.equal(nodes[0]?.allocatable.get("cpu"), 8000);
    assert.deepEqual(taken(state), { a: 1000, b: 0 });
    state.removeNode("b");
    assert.notEqual(state.nodes, nodes);
  });
});
