import assert from "node:assert/strict";
import { test } from "node:test";
import { Events, Nodes } from "@skiff/api";
import { silentLogger } from "@skiff/base";
import { TestCluster } from "@skiff/testing";
import { createEventRecorder } from "./create-event-recorder.ts";

test("an event is written once and counted when it happens again, also after it was deleted", async () => {
  await using cluster = await TestCluster.start();
  const { client, clock, random, signal } = cluster;
  await using recorder = createEventRecorder({
    client,
    component: "tester",
    host: "node-1",
    clock,
    random,
    logger: silentLogger,
  });
  const node = await client.get(Nodes, { name: "node-1" }, { signal });
  const record = () => recorder.record(Nodes, node, { type: "Warning", reason: "Tested", message: "as it should be" });
  const mine = async () =>
    (await client.list(Events, { namespace: "default", signal })).items.filter(({ reason }) => reason === "Tested");
  record();
  await cluster.advance(60_000);
  record();
  await cluster.advance(1000);
  const [event, ...others] = await mine();
  assert.deepEqual(others, []);
  assert.match(event?.metadata.name ?? "", /^node-1\.[0-9a-f]{16}$/);
  assert.equal(event?.count, 2);
  assert.equal(Date.parse(event?.lastTimestamp ?? "") - Date.parse(event?.firstTimestamp ?? ""), 60_000);
  assert.deepEqual(event?.source, { component: "tester", host: "node-1" });
  assert.equal(event?.involvedObject.uid, node.metadata.uid);
  assert.ok(event);
  await client.delete(Events, event.metadata, { signal });
  record();
  await cluster.advance(1000);
  assert.equal((await mine())[0]?.count, 3);
});

test("an event that shall wait is written when its time has come", async () => {
  await using cluster = await TestCluster.start();
  const { client, clock, random, signal } = cluster;
  await using recorder = createEventRecorder({
    client,
    component: "tester",
    delayMs: 150,
    clock,
    random,
    logger: silentLogger,
  });
  const node = await client.get(Nodes, { name: "node-1" }, { signal });
  const count = async () =>
    (await client.list(Events, { namespace: "default", signal })).items.filter(({ reason }) => reason === "Tested")
      .length;
  for (const message of ["first", "second"])
    recorder.record(Nodes, node, { type: "Normal", reason: "Tested", message });
  await cluster.advance(149);
  assert.equal(await count(), 0);
  await cluster.advance(1);
  assert.equal(await count(), 2);
});
