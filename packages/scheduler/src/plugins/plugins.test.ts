import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Node, Pod, PodSpec, Taint } from "@skiff/api";
import { MemoryInformers } from "@skiff/client/fixtures";
import { ClusterState, viewOf } from "../cluster-state.ts";
import { decideOn } from "../fixtures/decide-on.ts";
import { node, pod } from "../fixtures/objects.ts";
import { type ClusterEvent, hintMatches, type Plugin } from "../framework.ts";
import { NodeInfo } from "../node-info.ts";
import { podFacts } from "../pod-facts.ts";
import { nodeAffinity as createNodeAffinity } from "./node-affinity.ts";
import { nodeDeclaredFeatures } from "./node-declared-features.ts";
import { nodeName } from "./node-name.ts";
import { nodePorts } from "./node-ports.ts";
import {
  nodeResourcesBalancedAllocation as createBalancedAllocation,
  nodeResourcesFit as createResourcesFit,
} from "./node-resources.ts";
import { nodeUnschedulable } from "./node-unschedulable.ts";
import { schedulingGates } from "./scheduling-gates.ts";
import { taintToleration } from "./taint-toleration.ts";

const request = (one: Pod, on: Node, ...pods: readonly Pod[]) => {
  const info = new NodeInfo(on);
  for (const other of pods) info.put(other);
  return { pod: one, facts: podFacts(one), node: info };
};

/** `fits`, or the reason; with `!` where removing pods would not help. */
function filtered(plugin: Plugin, one: Pod, on: Node, ...pods: readonly Pod[]): string | undefined {
  const result = plugin.filter?.(request(one, on, ...pods));
  return result?.kind === "rejected" ? `${result.reason}${result.resolvable ? "" : "!"}` : result?.kind;
}

const retried = (plugin: Plugin, one: Pod, event: ClusterEvent): boolean =>
  plugin.retryOn.some((hint) => hintMatches(hint, event, one));
const updated = (after: Node, old: Node): ClusterEvent => ({ kind: "nodeUpdated", node: after, old });

const nodeAffinity = createNodeAffinity();
const nodeResourcesFit = createResourcesFit();
const nodeResourcesBalancedAllocation = createBalancedAllocation();

describe("NodeUnschedulable", () => {
  const cordoned = node("a", { spec: { unschedulable: true } });
  const tolerant = pod("t", { tolerations: [{ key: "node.kubernetes.io/unschedulable", operator: "Exists" }] });
  it("keeps pods off cordoned nodes, save those that tolerate it", () => {
    assert.equal(filtered(nodeUnschedulable, pod("p"), cordoned), "node(s) were unschedulable!");
    assert.equal(filtered(nodeUnschedulable, tolerant, cordoned), "fits");
    assert.equal(filtered(nodeUnschedulable, pod("p"), node("a")), "fits");
  });
  it("tries again when a node is uncordoned, not when it only reports", () => {
    assert.equal(retried(nodeUnschedulable, pod("p"), updated(node("a"), cordoned)), true);
    assert.equal(retried(nodeUnschedulable, pod("p"), updated(cordoned, cordoned)), false);
  });
});

describe("NodeDeclaredFeatures", () => {
  const restartsAll = pod("p", {
    containers: [{ name: "main", image: "x", restartPolicyRules: [{ action: "RestartAllContainers" }] }],
  });
  const declaring = (name: string, ...declaredFeatures: string[]): Node => ({
    ...node(name),
    status: { ...node(name).status, declaredFeatures },
  });
  const able = declaring("able", "ExtendWebSocketsToKubelet", "RestartAllContainersOnContainerExits");
  it("keeps pods off nodes that cannot do what they need", () => {
    const state = new ClusterState();
    state.putNode(declaring("a", "ExtendWebSocketsToKubelet"));
    const first = decideOn(restartsAll, state);
    assert.equal(first.node, undefined);
    assert.deepEqual(
      [...first.verdicts.tally.keys()].map(({ plugin, reason }) => [plugin, reason]),
      [["NodeDeclaredFeatures", "node(s) didn't match Pod's required features"]],
    );
    state.putNode(able);
    assert.equal(decideOn(restartsAll, state).node, "able");
  });
  it("tries again when a node declares more, not when it only reports", () => {
    assert.equal(retried(nodeDeclaredFeatures, restartsAll, updated(able, node("able"))), true);
    assert.equal(retried(nodeDeclaredFeatures, restartsAll, updated(able, able)), false);
    const state = new ClusterState();
    state.putNode(node("able"));
    assert.equal(state.putNode(able), true);
  });
});

describe("NodeName", () => {
  it("takes the pod where it says", () => {
    assert.equal(filtered(nodeName, pod("p", { nodeName: "a" }), node("a")), "fits");
    const refusal = "node(s) didn't match the requested node name!";
    assert.equal(filtered(nodeName, pod("p", { nodeName: "b" }), node("a")), refusal);
  });
});

describe("TaintToleration", () => {
  const taint = (effect: string): Taint => ({ key: "k", value: "v", effect });
  const tainted = (...taints: Taint[]) => node("a", { spec: { taints } });
  const refusal = "node(s) had untolerated taint(s)!";
  const table: readonly (readonly [string, PodSpec["tolerations"], Node, string])[] = [
    ["no taint", [], node("a"), "fits"],
    ["a taint", [], tainted(taint("NoSchedule")), refusal],
    ["a taint that evicts", [], tainted(taint("NoExecute")), refusal],
    ["a taint that only prefers", [], tainted(taint("PreferNoSchedule")), "fits"],
    ["a tolerated taint", [{ key: "k", value: "v" }], tainted(taint("NoSchedule")), "fits"],
    ["another value", [{ key: "k", value: "w" }], tainted(taint("NoSchedule")), refusal],
    ["all tolerated", [{ operator: "Exists" }], tainted(taint("NoSchedule"), taint("NoExecute")), "fits"],
    ["one of two", [{ key: "k", operator: "Exists", effect: "NoExecute" }], tainted(taint("NoSchedule")), refusal],
  ];
  for (const [what, tolerations, on, expected] of table) {
    it(`${what}: ${expected}`, () => assert.equal(filtered(taintToleration, pod("p", { tolerations }), on), expected));
  }
  it("prefers nodes with fewer taints that the pod does not like", () => {
    const nodes = [
      node("a"),
      tainted(taint("PreferNoSchedule")),
      tainted(taint("PreferNoSchedule"), taint("PreferNoSchedule")),
    ];
    const scores = nodes.map((on) => taintToleration.score?.(request(pod("p"), on)) ?? -1);
    taintToleration.normalize?.(scores);
    assert.deepEqual(scores, [100, 50, 0]);
  });
  it("tries again when the taint that kept the pod away is gone", () => {
    const [with_, without] = [tainted(taint("NoSchedule")), node("a")];
    assert.equal(retried(taintToleration, pod("p"), updated(without, with_)), true);
    assert.equal(retried(taintToleration, pod("p"), updated(with_, with_)), false);
  });
});

describe("NodeAffinity", () => {
  const zone = (...values: string[]) => ({ matchExpressions: [{ key: "zone", operator: "In", values }] });
  const requiring = (nodeSelectorTerms: object[]): PodSpec["affinity"] => ({
    nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } },
  });
  const inA = node("n", { labels: { zone: "a" } });
  const refusal = "node(s) didn't match Pod's node affinity/selector!";
  const table: readonly (readonly [string, Partial<PodSpec>, string])[] = [
    ["a selector that matches", { nodeSelector: { zone: "a" } }, "fits"],
    ["a selector that does not", { nodeSelector: { zone: "b" } }, refusal],
    ["any of several terms", { affinity: requiring([zone("b"), zone("a")]) }, "fits"],
    ["no term", { affinity: requiring([zone("b")]) }, refusal],
    ["selector and affinity both", { nodeSelector: { zone: "b" }, affinity: requiring([zone("a")]) }, refusal],
  ];
  for (const [what, spec, expected] of table) {
    it(`${what}: ${expected}`, () => assert.equal(filtered(nodeAffinity, pod("p", spec), inA), expected));
  }
  it("adds the weights of what is preferred", () => {
    const preferred = [
      { weight: 30, preference: zone("a") },
      { weight: 50, preference: zone("b") },
      { weight: 5, preference: zone("a", "c") },
    ];
    const one = pod("p", {
      affinity: { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: preferred } },
    });
    assert.equal(nodeAffinity.score?.(request(one, inA)), 35);
  });
  it("names the nodes that alone come into question", () => {
    const named = (...values: string[]) => ({ matchFields: [{ key: "metadata.name", operator: "In", values }] });
    const view = viewOf(new ClusterState(), new MemoryInformers());
    const names = (terms: object[]) => nodeAffinity.preFilter?.(pod("p", { affinity: requiring(terms) }), view);
    assert.deepEqual(names([named("x"), named("y")]), { kind: "look", nodes: new Set(["x", "y"]) });
    assert.deepEqual(names([named("x"), zone("a")]), { kind: "skip" });
    const both = { matchFields: [...named("x").matchFields, ...named("y").matchFields] };
    const conflict = { kind: "rejected", reason: "pod affinity terms conflict", resolvable: false };
    assert.deepEqual(names([both]), conflict);
    assert.deepEqual(names([both, named("z")]), { kind: "look", nodes: new Set(["z"]) });
    assert.deepEqual(nodeAffinity.preFilter?.(pod("p"), view), { kind: "skip" });
  });
  it("adds what is required and preferred of all pods", () => {
    const added = createNodeAffinity({
      requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [zone("a", "b")] },
      preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 7, preference: zone("a") }],
    });
    const elsewhere = "node(s) didn't match scheduler-enforced node affinity!";
    assert.equal(filtered(added, pod("p"), inA), "fits");
    assert.equal(filtered(added, pod("p"), node("n", { labels: { zone: "c" } })), elsewhere);
    assert.equal(filtered(added, pod("p", { nodeSelector: { zone: "b" } }), inA), refusal);
    assert.equal(added.score?.(request(pod("p"), inA)), 7);
    assert.equal(added.concerns?.(pod("p")), true);
    assert.equal(retried(added, pod("p"), updated(inA, node("n"))), true);
  });
  it("tries again when a node gets the label", () => {
    const one = pod("p", { nodeSelector: { zone: "a" } });
    assert.equal(retried(nodeAffinity, one, updated(inA, node("n"))), true);
    assert.equal(retried(nodeAffinity, one, updated(inA, inA)), false);
  });
});

describe("NodePorts", () => {
  const using = (name: string, hostPort: number, more: { hostIP?: string; protocol?: string } = {}) =>
    pod(name, { containers: [{ name: "c", image: "x", ports: [{ containerPort: 1, hostPort, ...more }] }] });
  const refusal = "node(s) didn't have free ports for the requested pod ports";
  const table: readonly (readonly [string, Pod, Pod, string])[] = [
    ["the same port", using("p", 80), using("q", 80), refusal],
    ["another port", using("p", 80), using("q", 81), "fits"],
    ["another protocol", using("p", 80), using("q", 80, { protocol: "UDP" }), "fits"],
    ["another address", using("p", 80, { hostIP: "10.0.0.1" }), using("q", 80, { hostIP: "10.0.0.2" }), "fits"],
    ["one address and all", using("p", 80, { hostIP: "10.0.0.1" }), using("q", 80, { hostIP: "0.0.0.0" }), refusal],
  ];
  for (const [what, one, other, expected] of table) {
    it(`${what}: ${expected}`, () => assert.equal(filtered(nodePorts, one, node("a"), other), expected));
  }
  it("tries again when a pod with that port is gone", () => {
    assert.equal(retried(nodePorts, using("p", 80), { kind: "podGone", gone: using("q", 80) }), true);
    assert.equal(retried(nodePorts, using("p", 80), { kind: "podGone", gone: using("q", 81) }), false);
  });
});

describe("NodeResourcesFit", () => {
  const wanting = (name: string, requests: Record<string, string>) => pod(name, {}, { requests });
  const small = node("a", { allocatable: { cpu: "1", memory: "1Gi", pods: "2", "example.com/gpu": "1" } });
  const table: readonly (readonly [string, Pod, readonly Pod[], string])[] = [
    ["nothing wanted", pod("p"), [], "fits"],
    ["exactly what is free", wanting("p", { cpu: "500m" }), [wanting("q", { cpu: "0.5" })], "fits"],
    ["a little more", wanting("p", { cpu: "501m" }), [wanting("q", { cpu: "0.5" })], "Insufficient cpu"],
    ["more than there is", wanting("p", { cpu: "2" }), [], "Insufficient cpu!"],
    ["several", wanting("p", { cpu: "2", memory: "2Gi" }), [], "Insufficient cpu\nInsufficient memory!"],
    ["one pod too many", pod("p"), [pod("q"), pod("r")], "Too many pods"],
    ["an extended resource", wanting("p", { "example.com/gpu": "2" }), [], "Insufficient example.com/gpu!"],
    ["one the node lacks", wanting("p", { "example.com/fpga": "1" }), [], "Insufficient example.com/fpga!"],
    ["none of one it lacks", wanting("p", { "example.com/fpga": "0" }), [], "fits"],
  ];
  for (const [what, one, others, expected] of table) {
    it(`${what}: ${expected}`, () => assert.equal(filtered(nodeResourcesFit, one, small, ...others), expected));
  }
  it("counts init containers and overhead", () => {
    const containers = [{ name: "c", image: "x", resources: { requests: { cpu: "100m" } } }];
    const initContainers = [{ name: "i", image: "x", resources: { requests: { cpu: "900m" } } }];
    assert.equal(filtered(nodeResourcesFit, pod("p", { containers, initContainers }), small), "fits");
    const overhead = { cpu: "200m" };
    assert.equal(
      filtered(nodeResourcesFit, pod("p", { containers, initContainers, overhead }), small),
      "Insufficient cpu!",
    );
  });
  it("prefers nodes with more free", () => {
    const busy = wanting("q", { cpu: "2", memory: "4Gi" });
    const score = (...pods: readonly Pod[]) =>
      nodeResourcesFit.score?.(request(wanting("p", { cpu: "1", memory: "2Gi" }), node("a"), ...pods));
    assert.equal(score(), 75);
    assert.equal(score(busy), 25);
  });
  it("counts something for each container that requests nothing", () => {
    const containers = ["a", "b"].map((name) => ({ name, image: "x" }));
    const thousand = node("a", { allocatable: { cpu: "1", memory: "1000Mi" } });
    // 200 of 1,000 milli-cores, 400 of 1,000 MiB.
    assert.equal(nodeResourcesFit.score?.(request(pod("p", { containers }), thousand)), 70);
  });
  it("prefers nodes whose CPU and memory the pod evens out", () => {
    const one = wanting("p", { cpu: "2" });
    const score = (...pods: readonly Pod[]) =>
      nodeResourcesBalancedAllocation.score?.(request(one, node("a"), ...pods));
    assert.equal(score(), 62);
    assert.equal(score(wanting("q", { memory: "4Gi" })), 87);
    assert.equal(nodeResourcesBalancedAllocation.concerns?.(pod("p")), false);
    assert.equal(nodeResourcesBalancedAllocation.concerns?.(one), true);
  });
  it("tries again when allocatable changes or a pod is gone, not at every report", () => {
    const one = wanting("p", { cpu: "2" });
    assert.equal(retried(nodeResourcesFit, one, updated(node("a"), small)), true);
    assert.equal(retried(nodeResourcesFit, one, updated(small, structuredClone(small))), false);
    assert.equal(retried(nodeResourcesFit, one, { kind: "podGone", gone: pod("q") }), true);
    assert.equal(retried(nodeResourcesFit, one, { kind: "nodeAdded", node: small }), true);
  });
});

describe("SchedulingGates", () => {
  it("hold the pod until they are gone", () => {
    const view = viewOf(new ClusterState(), new MemoryInformers());
    const gated = pod("p", { schedulingGates: [{ name: "a" }, { name: "b" }] });
    assert.equal(schedulingGates.preEnqueue?.(gated, view), "waiting for scheduling gates: [a b]");
    assert.equal(schedulingGates.preEnqueue?.(pod("p"), view), undefined);
  });
});
