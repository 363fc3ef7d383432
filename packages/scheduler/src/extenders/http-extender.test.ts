import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Pod } from "@skiff/api";
import { VirtualClock } from "@skiff/base";
import type { ExtenderConfiguration } from "../configuration/component-configuration.ts";
import { type Answer, type Asked, extenderServer, selfSigned } from "../fixtures/extender-server.ts";
import { node, pod } from "../fixtures/objects.ts";
import { createHttpExtender } from "./http-extender.ts";

const { signal } = new AbortController();
const verbs = {
  filterVerb: "filter",
  prioritizeVerb: "prioritize",
  bindVerb: "bind",
  preemptVerb: "preempt",
  weight: 3,
};
const podOn = (on: string, uid: string): Pod | undefined => (on === "a" && uid === "uid-v" ? pod("v") : undefined);

async function setUp(answer: (asked: Asked) => Answer, more: Partial<ExtenderConfiguration> = {}) {
  const server = await extenderServer(answer);
  const clock = new VirtualClock();
  const extender = await createHttpExtender({ urlPrefix: `${server.url}/`, ...verbs, ...more }, { clock, podOn });
  return { server, clock, extender };
}

const nodes = [node("a"), node("b")];

describe("an HTTP extender", () => {
  it("filters nodes that it is told whole", async () => {
    const { server, extender } = await setUp(() => ({
      Nodes: { items: [nodes[1]] },
      FailedNodes: { a: "too hot" },
      FailedAndUnresolvableNodes: null,
      Error: "",
    }));
    await using _ = server;
    const choice = await extender.filter?.(pod("p"), nodes, signal);
    assert.deepEqual(choice, { left: new Set(["b"]), failed: new Map([["a", "too hot"]]), hopeless: new Map() });
    const [asked] = server.asked;
    assert.equal(asked?.path, "/scheduler/filter");
    assert.deepEqual(Object.keys(asked.body), ["Pod", "Nodes", "NodeNames"]);
    assert.deepEqual(asked.body.Pod, JSON.parse(JSON.stringify(pod("p"))));
    assert.deepEqual(asked.body.Nodes, { metadata: {}, items: JSON.parse(JSON.stringify(nodes)) });
    assert.equal(asked.body.NodeNames, null);
  });

  it("filters nodes by name, and may write members in any case", async () => {
    const answer = { nodenames: ["a"], failedAndUnresolvableNodes: { b: "never" } };
    const { server, extender } = await setUp(() => answer, { nodeCacheCapable: true });
    await using _ = server;
    const choice = await extender.filter?.(pod("p"), nodes, signal);
    assert.deepEqual(choice, { left: new Set(["a"]), failed: new Map(), hopeless: new Map([["b", "never"]]) });
    assert.deepEqual([server.asked[0]?.body.Nodes, server.asked[0]?.body.NodeNames], [null, ["a", "b"]]);
  });

  it("scores nodes", async () => {
    const { server, extender } = await setUp(() => [
      { Host: "a", Score: 10 },
      { host: "b", score: 2 },
    ]);
    await using _ = server;
    const scores = await extender.prioritize?.(pod("p"), nodes, signal);
    assert.deepEqual(
      scores,
      new Map([
        ["a", 10],
        ["b", 2],
      ]),
    );
    assert.equal(extender.weight, 3);
  });

  it("binds", async () => {
    const { server, extender } = await setUp(() => ({ Error: "" }));
    await using _ = server;
    await extender.bind?.(pod("p"), "a", signal);
    const args = { PodName: "p", PodNamespace: "default", PodUID: "uid-p", Node: "a" };
    assert.deepEqual(
      server.asked.map(({ path, body }) => [path, body]),
      [["/scheduler/bind", args]],
    );
  });

  it("says whose end would make room", async () => {
    const { server, extender } = await setUp(() => ({
      NodeNameToMetaVictims: { a: { Pods: [{ UID: "uid-v" }], NumPDBViolations: 1 } },
    }));
    await using _ = server;
    const candidates = new Map([["a", { victims: [pod("v"), pod("w")], violations: 0 }]]);
    const left = await extender.preempt?.(pod("p"), candidates, signal);
    assert.deepEqual(left, new Map([["a", { victims: [pod("v")], violations: 1 }]]));
    const [asked] = server.asked;
    assert.equal(asked?.body.NodeNameToMetaVictims, null);
    const pods = JSON.parse(JSON.stringify([pod("v"), pod("w")]));
    assert.deepEqual(asked.body.NodeNameToVictims, { a: { Pods: pods, NumPDBViolations: 0 } });
  });

  it("is told uids of victims where it knows the pods", async () => {
    const { server, extender } = await setUp(() => ({ NodeNameToMetaVictims: {} }), { nodeCacheCapable: true });
    await using _ = server;
    await extender.preempt?.(pod("p"), new Map([["a", { victims: [pod("v")], violations: 2 }]]), signal);
    const [asked] = server.asked;
    assert.equal(asked?.body.NodeNameToVictims, null);
    assert.deepEqual(asked.body.NodeNameToMetaVictims, { a: { Pods: [{ UID: "uid-v" }], NumPDBViolations: 2 } });
  });

  it("takes part only in what it has a verb for, and only for pods that ask for what it manages", async () => {
    const clock = new VirtualClock();
    const urlPrefix = "http://127.0.0.1:1";
    const managedResources = [{ name: "example.com/gpu" }];
    const extender = await createHttpExtender({ urlPrefix, filterVerb: "f", managedResources }, { clock, podOn });
    assert.deepEqual([extender.prioritize, extender.bind, extender.preempt], [undefined, undefined, undefined]);
    assert.equal(extender.isInterested(pod("p")), false);
    assert.equal(extender.isInterested(pod("p", {}, { requests: { "example.com/gpu": "1" } })), true);
    const containers = [{ name: "c", image: "x", resources: { limits: { "example.com/gpu": "1" } } }];
    assert.equal(extender.isInterested(pod("p", { initContainers: containers })), true);
  });

  const failures: readonly (readonly [string, Answer, RegExp])[] = [
    ["another status", 500, /^failed filter with extender at URL http:.*\/scheduler\/filter, code 500$/],
    ["no JSON", "hello", /did not answer with JSON$/],
    ["an error", { Error: "out of order" }, /^out of order$/],
    [
      "a node that it was not asked about",
      { NodeNames: ["c"] },
      /claims a filtered node "c" which is not found in the input node list$/,
    ],
  ];
  for (const [what, answer, message] of failures) {
    it(`fails with ${what}`, async () => {
      const { server, extender } = await setUp(() => answer);
      await using _ = server;
      await assert.rejects(async () => extender.filter?.(pod("p"), nodes, signal), {
        code: "EXTENDER_FAILED",
        message,
      });
    });
  }

  it("fails with a victim that is not on the node", async () => {
    const { server, extender } = await setUp(() => ({ NodeNameToMetaVictims: { b: { Pods: [{ UID: "uid-v" }] } } }));
    await using _ = server;
    const candidates = new Map([["b", { victims: [pod("v")], violations: 0 }]]);
    const message = /claims to preempt pod \(UID: uid-v\) on node: b, but the pod is not found on that node$/;
    await assert.rejects(async () => extender.preempt?.(pod("p"), candidates, signal), { message });
  });

  it("fails when it takes too long, and when nobody is there", async () => {
    const arrived = Promise.withResolvers<void>();
    const server = await extenderServer(() => {
      arrived.resolve();
      return new Promise(() => {});
    });
    await using _ = server;
    const clock = new VirtualClock();
    const extender = await createHttpExtender({ urlPrefix: server.url, ...verbs, httpTimeout: "2s" }, { clock, podOn });
    const late = assert.rejects(async () => extender.filter?.(pod("p"), nodes, signal), /context deadline exceeded/);
    await arrived.promise;
    await clock.advance(2_000);
    await late;
    const nobody = await createHttpExtender({ urlPrefix: "http://127.0.0.1:1", ...verbs }, { clock, podOn });
    await assert.rejects(async () => nobody.filter?.(pod("p"), nodes, signal), /ECONNREFUSED/);
  });

  it("is trusted by its authority, and knows the scheduler by its certificate", async () => {
    const [own, client] = [await selfSigned("extender"), await selfSigned("the-scheduler")];
    await using server = await extenderServer(() => ({ NodeNames: ["a"] }), { server: own, trusts: client.cert });
    const base64 = (text: string) => Buffer.from(text).toString("base64");
    const create = (tlsConfig: ExtenderConfiguration["tlsConfig"], enableHTTPS = true) =>
      createHttpExtender(
        {
          urlPrefix: server.url,
          ...verbs,
          enableHTTPS,
          tlsConfig: { ...tlsConfig, certData: base64(client.cert), keyData: base64(client.key) },
        },
        { clock: new VirtualClock(), podOn },
      );
    const left = async (...args: Parameters<typeof create>) =>
      (await (await create(...args)).filter?.(pod("p"), nodes, signal))?.left;
    assert.deepEqual(await left({ caData: base64(own.cert) }), new Set(["a"]));
    assert.deepEqual(await left({ caData: base64(own.cert), serverName: "extender" }), new Set(["a"]));
    assert.deepEqual(await left({}), new Set(["a"]));
    assert.deepEqual(await left({ insecure: true }, false), new Set(["a"]));
    assert.equal(server.asked[0]?.client, "the-scheduler");
    await assert.rejects(() => left({ caData: base64(client.cert) }), { code: "EXTENDER_FAILED" });
    await assert.rejects(() => create({ caFile: "/does/not/exist" }), /cannot read \/does\/not\/exist/);
  });
});
