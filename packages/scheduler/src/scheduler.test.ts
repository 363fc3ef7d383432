import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Nodes, type Pod, Pods, refusals } from "@skiff/api";
import { seededRandom, silentLogger, VirtualClock } from "@skiff/base";
import type { Client } from "@skiff/client";
import { MemoryInformers } from "@skiff/client/fixtures";
import { node, pod } from "./fixtures/objects.ts";
import { Scheduler } from "./scheduler.ts";

interface Call {
  readonly verb: "bind" | "mark";
  readonly pod: string;
  /** The node, or the condition's message. */
  readonly to: string;
}

const notUsed = () => {
  throw new Error("the scheduler has no business with this call");
};

/** An API that notes what it is asked and, unless `answer` throws, does nothing. */
function fakeClient(calls: Call[], answer: (call: Call) => Promise<void>): Client {
  const note = async (call: Call) => {
    calls.push(call);
    await answer(call);
  };
  return {
    get: notUsed,
    list: notUsed,
    watch: notUsed,
    create: notUsed,
    update: notUsed,
    updateStatus: notUsed,
    delete: notUsed,
    getScale: notUsed,
    setScale: notUsed,
    async createSubresource(_, { name }, subresource, body) {
      assert.equal(subresource, "binding");
      const target = "target" in body && body.target;
      assert.ok(typeof target === "object" && target !== null && "name" in target);
      await note({ verb: "bind", pod: name, to: String(target.name) });
      return {};
    },
    async patch(resource, ref, patch, options) {
      assert.deepEqual([options.type, options.subresource], ["strategic", "status"]);
      await note({ verb: "mark", pod: ref.name, to: /"message":"([^"]*)"/.exec(JSON.stringify(patch))?.[1] ?? "" });
      const object = informersOf.get(calls)?.for(resource).get(ref.name, ref.namespace);
      assert.ok(object !== undefined);
      return object;
    },
  };
}

const informersOf = new WeakMap<Call[], MemoryInformers>();

async function setUp(answer: (call: Call) => Promise<void> = async () => {}) {
  const calls: Call[] = [];
  const events: string[] = [];
  const clock = new VirtualClock();
  const informers = new MemoryInformers();
  informersOf.set(calls, informers);
  const options = {
    client: fakeClient(calls, answer),
    informers,
    recorderOf: () => ({
      record: (_: unknown, object: { metadata: { name: string } }, event: { reason: string; message: string }) =>
        void events.push(`${object.metadata.name} ${event.reason}: ${event.message}`),
    }),
    clock,
    random: seededRandom(1),
    logger: silentLogger,
  };
  const scheduler = await Scheduler.start(options, new AbortController().signal);
  const nodes = informers.for(Nodes);
  const pods = informers.for(Pods);
  return { scheduler, calls, events, clock, nodes, pods };
}

const wanting = (name: string, cpu: string, spec: Partial<Pod["spec"]> = {}) => pod(name, spec, { requests: { cpu } });
const binds = (calls: readonly Call[]) =>
  calls.filter(({ verb }) => verb === "bind").map((call) => `${call.pod} to ${call.to}`);

describe("Scheduler", () => {
  it("binds a pod to a node and says so", async () => {
    const { scheduler, calls, events, clock, nodes, pods } = await setUp();
    await using _ = scheduler;
    nodes.put(node("a"));
    pods.put(wanting("p", "1"));
    await clock.advance(0);
    assert.deepEqual(binds(calls), ["p to a"]);
    assert.deepEqual(events, ["p Scheduled: Successfully assigned default/p to a"]);
    assert.equal(scheduler.lastDecision("uid-p")?.kind, "placed");
    pods.remove("p", "default");
    assert.equal(scheduler.lastDecision("uid-p"), undefined);
  });

  it("counts what it has bound at once, before the API says so", async () => {
    const { scheduler, calls, clock, nodes, pods } = await setUp();
    await using _ = scheduler;
    nodes.put(node("a", { allocatable: { cpu: "2" } }));
    for (const name of ["p", "q", "r"]) pods.put(wanting(name, "1"));
    await clock.advance(0);
    assert.deepEqual(binds(calls), ["p to a", "q to a"]);
    assert.deepEqual(
      calls.filter(({ verb }) => verb === "mark").map((call) => call.pod),
      ["r"],
    );
  });

  it("says why a pod finds no node, once for the same reason, and tries again when a pod has gone", async () => {
    const { scheduler, calls, events, clock, nodes, pods } = await setUp();
    await using _ = scheduler;
    nodes.put(node("a", { allocatable: { cpu: "2" } }));
    pods.put(wanting("old", "2", { nodeName: "a" }));
    pods.put(wanting("p", "1"));
    await clock.advance(0);
    const message =
      "0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: 0/1 nodes are available: " +
      "1 No preemption victims found for incoming pod.";
    assert.deepEqual(calls, [{ verb: "mark", pod: "p", to: message }]);
    assert.deepEqual(events, [`p FailedScheduling: ${message}`]);
    const marked = wanting("p", "1");
    const conditions = [{ type: "PodScheduled", status: "False", reason: "Unschedulable", message }];
    pods.put({ ...marked, status: { ...marked.status, conditions } });
    await clock.advance(301_000);
    assert.equal(calls.length, 1, "the condition says it already");
    assert.equal(events.length, 2);
    pods.remove("old", "default");
    await clock.advance(20_000);
    assert.deepEqual(binds(calls), ["p to a"]);
  });

  it("tries again when a pod has shrunk, once its node says so", async () => {
    const { scheduler, calls, clock, nodes, pods } = await setUp();
    await using _ = scheduler;
    nodes.put(node("a", { allocatable: { cpu: "2" } }));
    const old = (asked: string, has: string): Pod => {
      const status = { name: "main", image: "x", imageID: "x", ready: true, restartCount: 0 };
      const resources = { requests: { cpu: has } };
      return { ...wanting("old", asked, { nodeName: "a" }), status: { containerStatuses: [{ ...status, resources }] } };
    };
    pods.put(old("2", "2"));
    pods.put(wanting("p", "1"));
    await clock.advance(0);
    pods.put(old("1", "2"));
    await clock.advance(20_000);
    assert.deepEqual(binds(calls), []);
    pods.put(old("1", "1"));
    await clock.advance(20_000);
    assert.deepEqual(binds(calls), ["p to a"]);
  });

  it("gives back what an ended pod held, and waits for nodes when there are none", async () => {
    const { scheduler, calls, events, clock, nodes, pods } = await setUp();
    await using _ = scheduler;
    pods.put(wanting("p", "1"));
    await clock.advance(0);
    await clock.advance(60_000);
    assert.deepEqual(events, ["p FailedScheduling: no nodes available to schedule pods"]);
    nodes.put(node("a", { allocatable: { cpu: "1" } }));
    await clock.advance(10_000);
    assert.deepEqual(binds(calls), ["p to a"]);
    pods.put(wanting("p", "1", { nodeName: "a" }));
    pods.put(wanting("q", "1"));
    await clock.advance(0);
    pods.put(pod("p", { nodeName: "a" }, { requests: { cpu: "1" }, phase: "Succeeded" }));
    await clock.advance(10_000);
    assert.deepEqual(binds(calls), ["p to a", "q to a"]);
  });

  it("tries again after the API refused a binding, and frees the place meanwhile", async () => {
    let refused = 0;
    const { scheduler, calls, events, clock, nodes, pods } = await setUp(async () => {
      if (refused++ === 0) throw refusals.unavailable("try later");
    });
    await using _ = scheduler;
    nodes.put(node("a", { allocatable: { cpu: "1" } }));
    pods.put(wanting("p", "1"));
    await clock.advance(999);
    assert.deepEqual(binds(calls), ["p to a"]);
    assert.match(events[0] ?? "", /^p FailedScheduling: binding rejected: running Bind plugin "DefaultBinder": /);
    await clock.advance(1);
    assert.deepEqual(binds(calls), ["p to a", "p to a"]);
  });

  it("leaves a pod alone that was deleted while it was bound", async () => {
    const { scheduler, calls, clock, nodes, pods } = await setUp(async ({ verb }) => {
      if (verb === "bind") throw refusals.notFound({ group: "", kind: "pods", name: "p" });
    });
    await using _ = scheduler;
    nodes.put(node("a"));
    pods.put(wanting("p", "1"));
    await clock.advance(600_000);
    assert.deepEqual(binds(calls), ["p to a"]);
  });

  it("does not try gated, ending or ended pods, those of other schedulers, nor those that have a node", async () => {
    const { scheduler, calls, clock, nodes, pods } = await setUp();
    await using _ = scheduler;
    nodes.put(node("a"));
    pods.put(pod("gated", { schedulingGates: [{ name: "wait" }] }));
    pods.put(pod("theirs", { schedulerName: "another" }));
    pods.put(pod("bound", { nodeName: "nowhere" }));
    pods.put(pod("ended", {}, { phase: "Failed" }));
    const ending = pod("ending");
    pods.put({ ...ending, metadata: { ...ending.metadata, deletionTimestamp: "2026-01-01T00:00:00Z" } });
    await clock.advance(600_000);
    assert.deepEqual(calls, []);
    pods.put(pod("gated", {}, { generation: 2 }));
    await clock.advance(0);
    assert.deepEqual(binds(calls), ["gated to a"]);
  });

  it("keeps no more than 64 calls under way, and gets through all pods", async () => {
    let open = 0;
    let most = 0;
    const { scheduler, calls, clock, nodes, pods } = await setUp(async () => {
      most = Math.max(most, ++open);
      await new Promise((resolve) => setImmediate(resolve));
      open--;
    });
    await using _ = scheduler;
    nodes.put(node("a", { allocatable: { cpu: "150" } }));
    for (let index = 0; index < 300; index++) pods.put(wanting(`p${index}`, "1"));
    for (let round = 0; round < 50 && calls.length < 300; round++) await clock.advance(0);
    assert.equal(most, 64);
    assert.equal(binds(calls).length, 110, "a node has room for 110 pods");
  });

  it("decides nothing more once it is disposed of", async () => {
    const { scheduler, clock, nodes, pods } = await setUp();
    nodes.put(node("a"));
    await scheduler[Symbol.asyncDispose]();
    pods.put(wanting("p", "1"));
    await clock.advance(10);
    assert.equal(scheduler.lastDecision("uid-p"), undefined);
  });
});
