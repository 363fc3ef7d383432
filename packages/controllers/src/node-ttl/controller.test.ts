import assert from "node:assert/strict";
import { test } from "node:test";
import { Nodes } from "@skiff/api";
import { TestCluster } from "@skiff/testing";
import { nextStep, secondsOf } from "./plan.ts";

const cases = [
  { before: 0, nodes: 100, seconds: 0 },
  { before: 0, nodes: 101, seconds: 15 },
  { before: 1, nodes: 95, seconds: 15 },
  { before: 1, nodes: 89, seconds: 0 },
  { before: 0, nodes: 5000, seconds: 300 },
  { before: 4, nodes: 1850, seconds: 300 },
  { before: 4, nodes: 10, seconds: 0 },
];

for (const { before, nodes, seconds } of cases) {
  test(`what kubelets read is kept for ${seconds} s with ${nodes} nodes after step ${before}`, () => {
    assert.equal(secondsOf(nextStep(before, nodes)), seconds);
  });
}

test("nodes say how long", async () => {
  await using cluster = await TestCluster.start();
  const { client, signal } = cluster;
  await cluster.eventually(async () => {
    const { metadata } = await client.get(Nodes, { name: "node-1" }, { signal });
    return metadata.annotations?.["node.alpha.kubernetes.io/ttl"] === "0";
  });
});
