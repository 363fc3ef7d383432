import assert from "node:assert/strict";
import { test } from "node:test";
import { Events, type KubeObject, Namespaces, type Pod, StatusError, type Toleration } from "@skiff/api";
import { VirtualClock } from "@skiff/base";
import type { AdmissionPlugin, AdmissionRequest } from "../../contracts.ts";
import { admissionRequest, firstRound } from "../../fixtures/admission-request.ts";
import { fakeTable } from "../../fixtures/fake-table.ts";
import { namespacedMeta } from "../../fixtures/objects.ts";
import { type EventLimit, eventRateLimit } from "./event-rate-limit.ts";
import { podNodeSelector } from "./pod-node-selector.ts";
import { podTolerationRestriction } from "./pod-toleration-restriction.ts";

const tableWith = (annotations: Record<string, string>) => {
  const { namespace: _, ...metadata } = namespacedMeta("default");
  return fakeTable([[Namespaces, [{ metadata: { ...metadata, annotations }, spec: {}, status: {} }]]]);
};

const pod = (spec: Partial<Pod["spec"]> = {}): Pod => ({
  metadata: namespacedMeta("web"),
  spec: { containers: [{ name: "a" }], ...spec },
  status: {},
});

/** What the plugin refuses with, or nothing. */
async function run(plugin: AdmissionPlugin, request: Partial<AdmissionRequest>): Promise<string> {
  const whole = admissionRequest({ name: "web", ...request });
  if (!plugin.handles(whole)) return "not asked";
  try {
    await plugin.admit?.(whole, firstRound);
    await plugin.validate?.(whole);
    return "";
  } catch (error) {
    assert(error instanceof StatusError);
    return `${error.code} ${error.message}`;
  }
}

const selector = "scheduler.alpha.kubernetes.io/node-selector";
const selections = [
  { what: "its namespace's", namespace: "env=test,zone=a", asked: undefined, now: { env: "test", zone: "a" } },
  { what: "both", namespace: "env=test", asked: { disk: "ssd" }, now: { env: "test", disk: "ssd" } },
  { what: "the cluster's", namespace: undefined, asked: undefined, now: { pool: "usual" } },
  { what: "none but its own", namespace: "", asked: { disk: "ssd" }, now: { disk: "ssd" } },
];

for (const { what, namespace, asked, now } of selections) {
  test(`a pod asks for the node labels: ${what}`, async () => {
    const table = tableWith(namespace === undefined ? {} : { [selector]: namespace });
    const object = pod(asked === undefined ? {} : { nodeSelector: asked });
    assert.equal(await run(podNodeSelector(table, { clusterDefaultNodeSelector: "pool=usual" }), { object }), "");
    assert.deepEqual(object.spec.nodeSelector, now);
  });
}

test("a pod may not ask for other nodes than its namespace has", async () => {
  const table = tableWith({ [selector]: "env=test" });
  const forbidden = '403 pods "web" is forbidden: pod node label selector';
  const other = pod({ nodeSelector: { env: "production" } });
  assert.equal(
    await run(podNodeSelector(table), { object: other }),
    `${forbidden} conflicts with its namespace node label selector`,
  );
  const wide = pod({ nodeSelector: { disk: "ssd" } });
  assert.equal(
    await run(podNodeSelector(table, { default: "env=test" }), { object: wide }),
    `${forbidden} labels conflict with its namespace whitelist`,
  );
  const broken = tableWith({ [selector]: "env" });
  assert.equal(await run(podNodeSelector(broken), { object: pod() }), "500 invalid selector: [env]");
  assert.equal(await run(podNodeSelector(table), { object: other, operation: "UPDATE" }), "not asked");
});

const gpu: Toleration = { key: "gpu", operator: "Exists", effect: "NoSchedule" };
const defaultsOf = (tolerations: readonly object[]) => ({
  "scheduler.alpha.kubernetes.io/defaultTolerations": JSON.stringify(tolerations),
});
const whitelistOf = (tolerations: readonly object[]) => ({
  "scheduler.alpha.kubernetes.io/tolerationsWhitelist": JSON.stringify(tolerations),
});
const noted = { ...gpu, operator: "Equal", value: "yes" };

const tolerated: readonly {
  readonly what: string;
  readonly annotations: Record<string, string>;
  readonly given: readonly Toleration[];
  readonly now: readonly Toleration[] | undefined;
}[] = [
  { what: "its namespace's", annotations: defaultsOf([gpu]), given: [], now: [gpu] },
  { what: "the cluster's", annotations: {}, given: [], now: [{ key: "usual", operator: "Exists" }] },
  { what: "none, as its namespace says", annotations: defaultsOf([]), given: [], now: undefined },
  { what: "the wider of two", annotations: defaultsOf([gpu]), given: [noted], now: [gpu] },
  { what: "one of two equal ones", annotations: defaultsOf([gpu]), given: [gpu], now: [gpu] },
];

for (const { what, annotations, given, now } of tolerated) {
  test(`a pod tolerates: ${what}`, async () => {
    const cluster = { default: [{ key: "usual", operator: "Exists" }], whitelist: [] };
    const object = pod(given.length === 0 ? {} : { tolerations: [...given] });
    assert.equal(await run(podTolerationRestriction(tableWith(annotations), cluster), { object }), "");
    assert.deepEqual(object.spec.tolerations, now);
  });
}

test("pods that ask for resources tolerate that a node is short of memory", async () => {
  const containers = [{ name: "a", resources: { requests: { memory: "1Gi" } } }];
  const object = pod({ containers });
  assert.equal(await run(podTolerationRestriction(tableWith({})), { object }), "");
  assert.deepEqual(object.spec.tolerations, [
    { key: "node.kubernetes.io/memory-pressure", operator: "Exists", effect: "NoSchedule" },
  ]);
});

const short = { key: "x", operator: "Exists", effect: "NoExecute", tolerationSeconds: 60 };
const whitelists = [
  { what: "the same", allowed: [gpu], given: gpu, fine: true },
  { what: "a narrower one", allowed: [gpu], given: noted, fine: true },
  { what: "a wider one", allowed: [noted], given: gpu, fine: false },
  { what: "another", allowed: [gpu], given: { ...gpu, key: "x" }, fine: false },
  { what: "another effect", allowed: [gpu], given: { ...gpu, effect: "NoExecute" }, fine: false },
  { what: "anything", allowed: [{ operator: "Exists" }], given: gpu, fine: true },
  { what: "a longer one", allowed: [short], given: { ...short, tolerationSeconds: 61 }, fine: false },
  {
    what: "an endless one",
    allowed: [short],
    given: { key: "x", operator: "Exists", effect: "NoExecute" },
    fine: false,
  },
];

for (const { what, allowed, given, fine } of whitelists) {
  test(`a pod ${fine ? "may" : "may not"} tolerate what its namespace does not name: ${what}`, async () => {
    const why = "500 pod tolerations (possibly merged with namespace default tolerations) conflict with its";
    const object = () => pod({ tolerations: [{ ...given }] });
    const own = podTolerationRestriction(tableWith(whitelistOf(allowed)));
    assert.equal(await run(own, { object: object() }), fine ? "" : `${why} namespace whitelist`);
    const cluster = podTolerationRestriction(tableWith({}), { default: [], whitelist: allowed });
    assert.equal(await run(cluster, { object: object() }), fine ? "" : `${why} cluster whitelist`);
  });
}

const event = (name: string): KubeObject => ({
  ...{ involvedObject: { kind: "Pod", namespace: "default", name }, source: { component: "c" } },
  metadata: namespacedMeta("e"),
});

const limits: readonly {
  readonly type: EventLimit["type"];
  readonly other: Partial<AdmissionRequest> | undefined;
  readonly key: string;
}[] = [
  { type: "Server", other: undefined, key: "" },
  { type: "Namespace", other: { namespace: "another" }, key: "default" },
  { type: "User", other: { user: { name: "bob", groups: [] } }, key: "alice" },
  { type: "SourceAndObject", other: { object: event("other") }, key: "cPoddefaultweb" },
];

for (const { type, other, key } of limits) {
  test(`events are limited: ${type}`, async () => {
    const clock = new VirtualClock();
    const plugin = eventRateLimit(clock, [{ type, qps: 1, burst: 2, cacheSize: 10 }]);
    const write = (more: Partial<AdmissionRequest> = {}) =>
      run(plugin, { resource: Events, object: event("web"), ...more });
    assert.deepEqual([await write(), await write()], ["", ""]);
    const refusal = `429 Too many requests: limit reached on type ${type} for key ${key}`;
    assert.equal(await write(), refusal);
    assert.equal(await write({ dryRun: true }), "not asked");
    if (other !== undefined) assert.equal(await write(other), "");
    await clock.advance(1000);
    assert.deepEqual([await write(), await write()], ["", refusal]);
  });
}

test("as many users are kept in mind as there is room for", async () => {
  const plugin = eventRateLimit(new VirtualClock(), [{ type: "User", qps: 1, burst: 1, cacheSize: 1 }]);
  const write = (name: string) => run(plugin, { resource: Events, object: event("web"), user: { name, groups: [] } });
  assert.deepEqual([await write("a"), await write("b"), await write("a")], ["", "", ""]);
});
