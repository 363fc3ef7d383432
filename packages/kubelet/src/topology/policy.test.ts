import assert from "node:assert/strict";
import { test } from "node:test";
import { type NumaHint, type NumaHints, numaSet } from "./numa.ts";
import { judgeTopology, type TopologyPolicy } from "./policy.ts";

const two = {
  nodes: [0, 1],
  distances: [
    [10, 21],
    [21, 10],
  ],
};
const hint = (nodes: readonly number[], preferred = true): NumaHint => ({ nodes: numaSet(nodes), preferred });
const cpus = (list: readonly NumaHint[] | undefined): NumaHints => new Map([["cpu", list]]);
const cards = (list: readonly NumaHint[] | undefined): NumaHints => new Map([["example.com/card", list]]);

const everywhere = [hint([0]), hint([1]), hint([0, 1], false)];
const policies: readonly TopologyPolicy[] = ["best-effort", "restricted", "single-numa-node"];

/** What each policy says: the nodes, and `-` before them where the container is not taken. */
const table: readonly (readonly [string, readonly NumaHints[], readonly [string, string, string]])[] = [
  ["nobody cares", [cpus(undefined), new Map()], ["0,1", "0,1", "any"]],
  ["all on the first that both like", [cpus(everywhere), cards(everywhere)], ["0", "0", "0"]],
  ["one is only on the second", [cpus(everywhere), cards([hint([1])])], ["1", "1", "1"]],
  ["one needs both", [cpus([hint([0, 1])]), new Map()], ["0,1", "0,1", "-any"]],
  ["they are apart", [cpus([hint([0])]), cards([hint([1])])], ["0,1", "-0,1", "-any"]],
  ["one cannot be had", [cpus([]), cards(everywhere)], ["0", "-0", "-any"]],
  ["one does not care", [cpus([hint([1])]), cards(undefined)], ["1", "1", "1"]],
  ["what both may do is not what both like", [cpus([hint([0])]), cards([hint([0, 1])])], ["0", "-0", "-any"]],
];

const nodesOf = (set: number | undefined) =>
  set === undefined ? "any" : two.nodes.filter((n) => set & (1 << n)).join();

for (const [what, hints, expected] of table) {
  test(`topology: ${what}`, () => {
    const said = policies.map((policy) => {
      const { admitted, affinity } = judgeTopology(policy, hints, two);
      return `${admitted ? "" : "-"}${nodesOf(affinity)}`;
    });
    assert.deepEqual(said, expected);
    assert.deepEqual(judgeTopology("none", hints, two), { admitted: true });
  });
}

test("of places as wide, the one whose nodes are near to each other is taken where that is asked for", () => {
  const four = {
    nodes: [0, 1, 2, 3],
    distances: [
      [10, 30, 20, 30],
      [30, 10, 30, 12],
      [20, 30, 10, 30],
      [30, 12, 30, 10],
    ],
  };
  const hints = [cpus([hint([0, 1]), hint([1, 3]), hint([0, 2])])];
  assert.equal(judgeTopology("restricted", hints, four).affinity, numaSet([0, 1]));
  assert.equal(judgeTopology("restricted", hints, four, { preferClosest: true }).affinity, numaSet([1, 3]));
});
