import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Node, Nodes, type Pod, Pods } from "@skiff/api";
import { seededRandom, silentLogger, VirtualClock } from "@skiff/base";
import type { Client } from "@skiff/client";
import { MemoryInformers } from "@skiff/client/fixtures";
import { ClusterState, viewOf } from "../cluster-state.ts";
import { parseSchedulerConfiguration } from "../configuration/parse-configuration.ts";
import { type Answer, type Asked, extenderServer } from "../fixtures/extender-server.ts";
import { node, pod } from "../fixtures/objects.ts";
import { VictimCache } from "../preemption/victim-cache.ts";
import { createProfile } from "../profile.ts";
import { Scheduler } from "../scheduler.ts";
import { asksAbout, attemptWithExtenders } from "./ask-extenders.ts";
import { type Extender, type ExtenderChoice, ExtenderFailure, type VictimsOf } from "./extender.ts";

const { signal } = new AbortController();
const namesOf = (nodes: readonly Node[]) => nodes.map(({ metadata }) => metadata.name);

/** Leaves the nodes that are named; `failed` and `hopeless` say why others are not wanted. */
const leaving =
  (left: readonly string[], failed: Record<string, string> = {}, hopeless: Record<string, string> = {}) =>
  async (): Promise<ExtenderChoice> => ({
    left: new Set(left),
    failed: new Map(Object.entries(failed)),
    hopeless: new Map(Object.entries(hopeless)),
  });
const failing = async (): Promise<never> => {
  throw new ExtenderFailure("out of order");
};
const extender = (more: Partial<Extender> = {}): Extender => ({
  name: "http://extender",
  ignorable: false,
  weight: 1,
  isInterested: () => true,
  ...more,
});

function clusterOf(...names: readonly string[]): ClusterState {
  const state = new ClusterState();
  for (const name of names) state.putNode(node(name));
  return state;
}

const ask = (one: Pod, state: ClusterState, ...extenders: readonly Extender[]) =>
  attemptWithExtenders(
    one,
    {
      state,
      view: viewOf(state, new MemoryInformers()),
      profile: createProfile(),
      random: seededRandom(1),
      start: 0,
      budgets: () => [],
      victims: new VictimCache(),
    },
    { extenders, logger: silentLogger, signal },
  );

describe("deciding together with extenders", () => {
  it("takes a node that all have left", async () => {
    const asked: string[] = [];
    const first = extender({
      filter: async (_, nodes) => {
        asked.push(namesOf(nodes).join(" "));
        return leaving(["a", "b"], { c: "too hot" })();
      },
    });
    const second = extender({
      filter: async (_, nodes) => {
        asked.push(namesOf(nodes).join(" "));
        return leaving(["b"], {}, { a: "never" })();
      },
    });
    const { decided, plan } = await ask(pod("p"), clusterOf("a", "b", "c"), first, second);
    assert.equal(decided.node?.name, "b");
    assert.equal(plan, undefined);
    assert.deepEqual(asked, ["a b c", "a b"]);
    assert.deepEqual(Object.fromEntries(decided.verdicts.rejections), {
      a: { plugin: "Extender", reason: "never", resolvable: false },
      c: { plugin: "Extender", reason: "too hot", resolvable: true },
    });
  });

  it("says why no node is left", async () => {
    const { decided } = await ask(pod("p"), clusterOf("a", "b"), extender({ filter: leaving([], { a: "too hot" }) }));
    assert.equal(decided.node, undefined);
    const reasons = [...decided.verdicts.rejections].map(([name, { reason }]) => `${name}: ${reason}`);
    assert.deepEqual(reasons.sort(), ["a: too hot", "b: node(s) didn't satisfy plugin(s) [Extender]"]);
  });

  it("counts scores by weight, ten times, beside those of plugins", async () => {
    const fond = (name: string, score: number, weight: number) =>
      extender({ name: `http://${name}`, weight, prioritize: async () => new Map([[name, score]]) });
    const { decided } = await ask(pod("p"), clusterOf("a", "b"), fond("a", 10, 1), fond("b", 4, 3));
    assert.equal(decided.node?.name, "b");
    const { scores, plugins } = decided.verdicts;
    assert.equal((scores.get("b") ?? 0) - (scores.get("a") ?? 0), 20);
    assert.deepEqual(
      plugins.map(({ plugin }) => plugin).filter((name) => name.startsWith("http")),
      ["http://a", "http://b"],
    );
  });

  it("does without scores where it must, and without those that may be ignored", async () => {
    const { decided } = await ask(
      pod("p"),
      clusterOf("a", "b"),
      extender({ prioritize: failing }),
      extender({ ignorable: true, filter: failing }),
      extender({ filter: leaving(["a"]) }),
    );
    assert.equal(decided.node?.name, "a");
    await assert.rejects(ask(pod("p"), clusterOf("a"), extender({ filter: failing })), /out of order/);
  });

  it("prefers the node where room was made for the pod, if it is left", async () => {
    const state = clusterOf("a", "b", "c");
    const one = pod("p");
    state.nominations.put(one, "c");
    const fond = extender({ weight: 100, prioritize: async () => new Map([["a", 10]]) });
    assert.equal((await ask(one, state, fond)).decided.node?.name, "c");
    assert.equal((await ask(one, state, extender({ filter: leaving(["a"]) }))).decided.node?.name, "a");
  });

  it("asks whose end is right", async () => {
    const state = clusterOf("a", "b");
    const placed = (name: string, nodeName: string) =>
      state.putPod(pod(name, { nodeName, priority: 0 }, { requests: { cpu: "4" } }));
    placed("x", "a");
    placed("y", "b");
    const important = pod("p", { priority: 10 }, { requests: { cpu: "4" } });
    const choosing = (name: string) => async (_: Pod, candidates: ReadonlyMap<string, VictimsOf>) =>
      new Map([...candidates].filter(([candidate]) => candidate === name));
    for (const name of ["a", "b"]) {
      const { plan } = await ask(important, state, extender({ preempt: choosing(name) }));
      assert.equal(plan?.kind === "preempt" && plan.candidate.node.name, name);
    }
    const none = await ask(important, state, extender({ preempt: choosing("neither") }));
    assert.deepEqual(none.plan, {
      kind: "fruitless",
      text: "0/2 nodes are available: 2 Preemption is not helpful for scheduling.",
    });
    const empty = async () => new Map([["a", { victims: [], violations: 0 }]]);
    await assert.rejects(
      ask(important, state, extender({ preempt: empty })),
      /expected at least one victim pod on node "a"/,
    );
    const ignored = await ask(important, state, extender({ preempt: failing, ignorable: true }));
    assert.equal(ignored.plan?.kind, "preempt");
  });

  it("is needed for pods that somebody is interested in before they are bound", () => {
    const asked = (one: Extender) => asksAbout([one], pod("p")).length === 1;
    assert.equal(asked(extender({ filter: leaving([]) })), true);
    assert.equal(asked(extender({ filter: leaving([]), isInterested: () => false })), false);
    assert.equal(asked(extender({ bind: async () => {} })), false);
  });
});

describe("a scheduler with an HTTP extender", () => {
  const refuse = () => {
    throw new Error("the scheduler has no business with this call");
  };

  async function setUp(answer: (asked: Asked) => Answer | Promise<Answer>, more: object) {
    const server = await extenderServer(answer);
    const clock = new VirtualClock();
    const informers = new MemoryInformers();
    const told: string[] = [];
    const hearing = new Set<() => void>();
    const tell = (text: string) => {
      told.push(text);
      for (const hear of hearing) hear();
    };
    const client: Client = {
      ...{ get: refuse, list: refuse, watch: refuse, create: refuse, update: refuse, updateStatus: refuse },
      ...{ delete: refuse, getScale: refuse, setScale: refuse },
      createSubresource: async (_, { name }, __, body) => {
        tell(`bound ${name} to ${/"name":"([^"]*)"\}\}$/.exec(JSON.stringify(body))?.[1] ?? JSON.stringify(body)}`);
        return {};
      },
      async patch(resource, ref, patch) {
        const [, reason, message] = /"reason":"([^"]*)","message":"([^"]*)"/.exec(JSON.stringify(patch)) ?? [];
        tell(`${ref.name} ${reason}: ${message}`);
        const object = informers.for(resource).get(ref.name, ref.namespace);
        assert.ok(object !== undefined);
        return object;
      },
    };
    const configuration = parseSchedulerConfiguration(
      JSON.stringify({
        apiVersion: "kubescheduler.config.k8s.io/v1",
        kind: "KubeSchedulerConfiguration",
        extenders: [{ urlPrefix: server.url, nodeCacheCapable: true, ...more }],
      }),
    );
    const recorderOf = () => ({ record: () => {} });
    const parts = { client, informers, recorderOf, clock, random: seededRandom(1), logger: silentLogger };
    const scheduler = await Scheduler.start({ ...parts, configuration }, signal);
    /** Resolves when the API has been told so much. */
    const heard = async (count: number): Promise<readonly string[]> => {
      while (told.length < count) {
        const { promise, resolve } = Promise.withResolvers<void>();
        hearing.add(resolve);
        await promise;
        hearing.delete(resolve);
      }
      return told;
    };
    return { server, scheduler, clock, heard, nodes: informers.for(Nodes), pods: informers.for(Pods) };
  }

  it("places pods where it leaves them, one after the other", async () => {
    let open = 0;
    const { server, scheduler, heard, nodes, pods } = await setUp(
      async ({ body }) => {
        assert.equal(++open, 1);
        await new Promise((resolve) => setImmediate(resolve));
        open--;
        assert.deepEqual(body.NodeNames, ["a", "b"]);
        return { NodeNames: ["b"] };
      },
      { filterVerb: "filter" },
    );
    await using _ = server;
    await using __ = scheduler;
    for (const name of ["a", "b"]) nodes.put(node(name));
    for (const name of ["p", "q", "r"]) pods.put(pod(name));
    assert.deepEqual([...(await heard(3))].sort(), ["bound p to b", "bound q to b", "bound r to b"]);
  });

  it("lets it bind", async () => {
    const bound = Promise.withResolvers<Asked>();
    const { server, scheduler, nodes, pods } = await setUp(
      (asked) => {
        bound.resolve(asked);
        return {};
      },
      { bindVerb: "bind" },
    );
    await using _ = server;
    await using __ = scheduler;
    nodes.put(node("a"));
    pods.put(pod("p"));
    const { path, body } = await bound.promise;
    assert.equal(path, "/scheduler/bind");
    assert.deepEqual([body.PodName, body.Node], ["p", "a"]);
  });

  it("says what went wrong, tries again, and leaves pods alone that it has nothing to do with", async () => {
    let answers = 0;
    const { server, scheduler, clock, heard, nodes, pods } = await setUp(
      () => (answers++ === 0 ? 500 : { NodeNames: ["a"] }),
      { filterVerb: "filter", managedResources: [{ name: "example.com/gpu", ignoredByScheduler: true }] },
    );
    await using _ = server;
    await using __ = scheduler;
    nodes.put(node("a"));
    pods.put(pod("plain"));
    assert.deepEqual(await heard(1), ["bound plain to a"]);
    pods.put(pod("gpu", {}, { requests: { "example.com/gpu": "8" } }));
    const [, failure] = await heard(2);
    assert.match(failure ?? "", /^gpu SchedulerError: failed filter with extender at URL http:.*, code 500$/);
    await clock.advance(1_000);
    // The node has no such resource: whoever manages it says that there is some.
    assert.equal((await heard(3))[2], "bound gpu to a");
  });

  it("tries pods again that it rejected, whatever happens", async () => {
    let answers = 0;
    const { server, scheduler, clock, heard, nodes, pods } = await setUp(
      () => (answers++ === 0 ? { NodeNames: [], FailedAndUnresolvableNodes: { a: "not now" } } : { NodeNames: ["a"] }),
      { filterVerb: "filter" },
    );
    await using _ = server;
    await using __ = scheduler;
    nodes.put(node("a"));
    pods.put(pod("p"));
    assert.match((await heard(1))[0] ?? "", /^p Unschedulable: 0\/1 nodes are available: 1 not now\. /);
    nodes.put(node("a", { labels: { changed: "yes" } }));
    await clock.advance(1_000);
    assert.equal((await heard(2))[1], "bound p to a");
  });
});
