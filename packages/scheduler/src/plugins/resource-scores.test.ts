import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DeviceClasses, ResourceClaims, ResourceSlices } from "@skiff/api";
import { MemoryInformers } from "@skiff/client/fixtures";
import { ClusterState, viewOf } from "../cluster-state.ts";
import { loadSelectors } from "../dynamic-resources/selector-engine.ts";
import { node, pod } from "../fixtures/objects.ts";
import type { Plugin } from "../framework.ts";
import { nodeResourcesBalancedAllocation, nodeResourcesFit } from "./node-resources.ts";
import {
  type Allocation,
  balancedAllocation,
  leastAllocated,
  mostAllocated,
  type ResourceScorer,
  requestedToCapacityRatio,
} from "./resource-scores.ts";

/** `before+pod/capacity`, as in `1000+500/4000`, with `*weight` where it is not 1. */
function allocations(text: string): readonly Allocation[] {
  return text.split(" ").map((part) => {
    const [amounts = "", weight = "1"] = part.split("*");
    const [used = "", capacity = "0"] = amounts.split("/");
    const [before = 0, wanted = 0] = used.split("+").map(Number);
    return { capacity: Number(capacity), before, after: before + wanted, weight: Number(weight) };
  });
}

const packing = requestedToCapacityRatio([
  { utilization: 0, score: 0 },
  { utilization: 100, score: 10 },
]);
const spreading = requestedToCapacityRatio([
  { utilization: 20, score: 10 },
  { utilization: 80, score: 4 },
]);

const table: readonly (readonly [string, ResourceScorer, string, number])[] = [
  ["least: nothing used", leastAllocated, "0+0/4000 0+0/10000", 100],
  ["least: rounded down resource by resource", leastAllocated, "0+3000/4000 0+5000/10000", 37],
  ["least: as Kubernetes' own example", leastAllocated, "0+3000/6000 0+5000/10000", 50],
  ["least: more than there is", leastAllocated, "0+6000/4000 0+0/10000", 50],
  ["least: by weight", leastAllocated, "0+3000/4000*2 0+5000/10000", 33],
  ["least: a resource that the node lacks does not count", leastAllocated, "0+3000/4000 0+5/0", 25],
  ["least: no resource", leastAllocated, "0+1/0", 0],
  ["most: nothing used", mostAllocated, "0+0/4000 0+0/10000", 0],
  ["most: some", mostAllocated, "0+3000/4000 2000+3000/10000", 62],
  ["most: more than there is", mostAllocated, "0+6000/4000 0+0/10000", 50],
  ["ratio: packed", packing, "0+3000/4000 0+5000/10000", 63],
  ["ratio: what is worth nothing does not count", packing, "0+3000/4000 0+0/10000", 75],
  ["ratio: more than there is", packing, "5000+1/4000", 100],
  ["ratio: below the first point", spreading, "0+1/10", 100],
  ["ratio: between points", spreading, "0+5/10", 70],
  ["ratio: after the last point", spreading, "0+9/10", 40],
  ["balanced: no change", balancedAllocation, "0+1/4 0+1/4", 75],
  ["balanced: from even to as uneven as can be", balancedAllocation, "0+4/4 0+0/4", 50],
  ["balanced: from as uneven as can be to even", balancedAllocation, "4+0/4 0+4/4", 100],
  ["balanced: three resources", balancedAllocation, "0+2/4 0+1/4 0+1/4", 69],
  ["balanced: one resource", balancedAllocation, "0+3/4 1+2/0", 75],
];

const meta = (name: string) => ({ name, uid: name, resourceVersion: "1", creationTimestamp: "2026-01-01T00:00:00Z" });

describe("scores of devices that no device plugin has", () => {
  const gpu = "example.com/gpu";
  const resources = [{ name: gpu, weight: 1 }];
  const usual = { ignoredResources: new Set<string>(), ignoredResourceGroups: new Set<string>() };
  const driver = "gpu.example.com";
  const informers = new MemoryInformers();
  const state = new ClusterState();
  for (const [name, count, plugged] of [
    ["four", 4, "0"],
    ["two", 2, "0"],
    ["none", 0, "0"],
    ["plugin", 0, "8"],
  ] as const) {
    state.putNode(node(name, { allocatable: { [gpu]: plugged } }));
    const pool = { name, generation: 1, resourceSliceCount: 1 };
    const devices = Array.from({ length: count }, (_, at) => ({ name: `g${at}` }));
    informers.for(ResourceSlices).put({ metadata: meta(name), spec: { driver, nodeName: name, pool, devices } });
  }
  const selectors = [{ cel: { expression: `device.driver == "${driver}"` } }];
  informers.for(DeviceClasses).put({ metadata: meta("gpu"), spec: { extendedResourceName: gpu, selectors } });
  const results = [{ request: "r", driver, pool: "four", device: "g1" }];
  informers.for(ResourceClaims).put({
    metadata: { ...meta("c"), namespace: "default" },
    spec: {},
    status: { allocation: { devices: { results } } },
  });
  const scores = (plugin: Plugin) => {
    const view = viewOf(state, informers);
    const scored = plugin.preScore?.(pod("p", {}, { requests: { [gpu]: "1" } }), view.nodes, view);
    return Object.fromEntries(view.nodes.map((one) => [one.name, scored?.of(one)]));
  };

  it("count what is in use and what the pod takes", async () => {
    await loadSelectors();
    const most = nodeResourcesFit({ ...usual, scorer: mostAllocated, resources });
    assert.deepEqual(scores(most), { four: 50, two: 50, none: 0, plugin: 12 });
    const least = nodeResourcesFit({ ...usual, scorer: leastAllocated, resources });
    assert.deepEqual(scores(least), { four: 50, two: 50, none: 0, plugin: 87 });
    const balanced = nodeResourcesBalancedAllocation([...resources, { name: "cpu", weight: 1 }]);
    assert.deepEqual(scores(balanced), { four: 69, two: 62, none: 75, plugin: 71 });
  });

  it("are remembered where there are none to score", () => {
    const plain = nodeResourcesFit({ ...usual, scorer: mostAllocated, resources: [{ name: "cpu", weight: 1 }] });
    assert.deepEqual([plain.preScore, typeof plain.score], [undefined, "function"]);
  });
});

describe("scores of resources", () => {
  for (const [what, scorer, text, expected] of table) {
    it(`${what}: ${text} = ${expected}`, () => assert.equal(scorer(allocations(text)), expected));
  }
});
