import assert from "node:assert/strict";
import { test } from "node:test";
import { isNotFound, type New, Nodes, type Pod, Pods } from "@skiff/api";
import { TestCluster } from "@skiff/testing";
import { podNamed } from "../fixtures/objects.ts";
import { surplus } from "./plan.ts";

const sleeper = (name: string, spec: Partial<Pod["spec"]> = {}): New<Pod> => ({
  metadata: { name, namespace: "default" },
  spec: { containers: [{ name: "main", image: "i" }], ...spec },
});

test("pods of a node that is out of service go at once", async () => {
  await using cluster = await TestCluster.start({ nodes: 2 });
  const { client, signal } = cluster;
  const { metadata } = await client.create(Pods, sleeper("p", { nodeName: "node-1" }), { signal });
  await cluster.advance(5_000);
  cluster.nodes[0]?.disconnect();
  await client.delete(Pods, metadata, { signal });
  await cluster.advance(120_000);
  assert.ok((await client.get(Pods, metadata, { signal })).metadata.deletionTimestamp, "it waits for its kubelet");
  const node = await client.get(Nodes, { name: "node-1" }, { signal });
  const taint = { key: "node.kubernetes.io/out-of-service", value: "nodeshutdown", effect: "NoExecute" };
  const taints = [...(node.spec.taints ?? []), taint];
  await client.patch(Nodes, { name: "node-1" }, { spec: { taints } }, { type: "merge", signal });
  await cluster.eventually(async () => {
    await assert.rejects(client.get(Pods, metadata, { signal }), isNotFound);
  });
});

test("of pods that have ended, evicted ones go first, then the oldest", () => {
  const ended = (name: string, ageSeconds: number, reason?: string): Pod => {
    const pod = podNamed(name, { ageSeconds, phase: "Failed" });
    return reason === undefined ? pod : { ...pod, status: { ...pod.status, reason } };
  };
  const all = [ended("young", 10), ended("old", 90), ended("b", 50), ended("a", 50), ended("evicted", 1, "Evicted")];
  const names = (threshold: number) => surplus(all, threshold).map(({ metadata }) => metadata.name);
  assert.deepEqual(names(5), []);
  assert.deepEqual(names(3), ["evicted", "old"]);
  assert.deepEqual(names(1), ["evicted", "old", "a", "b"]);
  assert.deepEqual(names(0), [], "no threshold");
});
