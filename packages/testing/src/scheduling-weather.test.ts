import assert from "node:assert/strict";
import { it } from "node:test";
import { Nodes, type Pod, Pods, PriorityClasses } from "@skiff/api";
import { TestCluster } from "./test-cluster.ts";

const faults = { conflicts: 0.05, unavailable: 0.05, droppedWatches: 0.05, expiredWatches: 0.02 };
const room = 4;
const wanted = (name: string, spec: Partial<Pod["spec"]> = {}) => ({
  metadata: { name, namespace: "default" },
  spec: { containers: [{ name: "main", image: "x", resources: { requests: { cpu: "1" } } }], ...spec },
});

for (const seed of [1, 2, 3]) {
  it(`no node is ever over its capacity, and urgent pods get their room, whatever fails (seed ${seed})`, async () => {
    await using cluster = await TestCluster.start({ nodes: 3, seed, faults });
    const { client, informers, signal } = cluster;
    await client.create(PriorityClasses, { metadata: { name: "urgent" }, value: 1_000 }, { signal });
    const pods = informers.for(Pods);
    informers.for(Nodes);
    await informers.whenSynced(signal);
    const homes = new Map<string, string>();
    const wrongs: string[] = [];
    using _ = pods.onChange(({ object }) => {
      const { nodeName } = object.spec;
      const { uid, name } = object.metadata;
      if (!nodeName) return;
      if ((homes.get(uid) ?? nodeName) !== nodeName) wrongs.push(`${name} has had two nodes`);
      homes.set(uid, nodeName);
      const there = pods.list().filter(({ spec, status }) => spec.nodeName === nodeName && status?.phase !== "Failed");
      if (there.length > room) wrongs.push(`${nodeName} has ${there.length} pods`);
    });
    for (let index = 0; index < 14; index++) await client.create(Pods, wanted(`low-${index}`), { signal });
    await cluster.advance(30_000);
    for (let index = 0; index < 5; index++) {
      await client.create(Pods, wanted(`urgent-${index}`, { priorityClassName: "urgent" }), { signal });
    }
    await cluster.eventually(
      () => {
        const placed = pods.list().filter(({ spec }) => spec.nodeName);
        assert.equal(placed.filter(({ metadata }) => metadata.name.startsWith("urgent")).length, 5);
        assert.equal(placed.length, 3 * room);
      },
      { withinMs: 600_000 },
    );
    assert.deepEqual(wrongs, []);
    assert.ok(homes.size > 3 * room, "some have made room");
  });
}
