import assert from "node:assert/strict";
import { test } from "node:test";
import { nodeOf } from "../fixtures/objects.ts";
import { isAllLost, zonesOf } from "./zones.ts";

const nodes = (zone: string, ready: number, unready: number) =>
  Array.from({ length: ready + unready }, (_, at) => {
    const node = nodeOf({ Ready: at < ready ? "True" : "Unknown" });
    return { ...node, metadata: { ...node.metadata, labels: { "topology.kubernetes.io/zone": zone } } };
  });

const cases: readonly [string, number, number, string, number][] = [
  ["all are ready", 3, 0, "normal", 0.1],
  ["two of three are not: too few to tell", 1, 2, "normal", 0.1],
  ["a little less than the share", 46, 54, "normal", 0.1],
  ["the share, in a small zone", 9, 11, "partial", 0],
  ["the share, in a large zone", 45, 55, "partial", 0.01],
  ["none is ready", 0, 4, "full", 0.1],
];

for (const [name, ready, unready, state, perSecond] of cases) {
  test(`zones: ${name}`, () => {
    assert.deepEqual(zonesOf(nodes("a", ready, unready)).get("/a"), { state, perSecond });
  });
}

test("zones: all are lost only when every one is", () => {
  assert.ok(isAllLost(zonesOf([...nodes("a", 0, 2), ...nodes("b", 0, 1)])));
  assert.ok(!isAllLost(zonesOf([...nodes("a", 0, 2), ...nodes("b", 1, 9)])));
});
