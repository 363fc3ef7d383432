import assert from "node:assert/strict";
import { test } from "node:test";
import type { EndpointSlice, Pod } from "@skiff/api";
import { planSubsets } from "../endpoints/plan.ts";
import { meta, nodeOf, type PodFacts, podNamed, serviceOf } from "../fixtures/objects.ts";
import type { EndpointSlicesPlan } from "./packing.ts";
import { planEndpointSlices, podsWithoutNode } from "./plan.ts";

const ready = (name: string, ip: string, facts: PodFacts = {}): Pod => podNamed(name, { readyFor: 9, ip, ...facts });
const many = (count: number, from = 0) =>
  Array.from({ length: count }, (_, at) => ready(`p${from + at}`, `10.0.${(from + at) >> 8}.${(from + at) & 255}`));

/** Does a plan to slices, as the API would. */
function applied(plan: EndpointSlicesPlan, slices: readonly EndpointSlice[]): EndpointSlice[] {
  const kept = slices.filter((slice) => !plan.remove.some(({ metadata }) => metadata.name === slice.metadata.name));
  const updated = kept.map(
    (slice) => plan.update.find(({ metadata }) => metadata.name === slice.metadata.name) ?? slice,
  );
  const created = plan.create.map((slice, at): EndpointSlice => {
    const { labels = {} } = slice.metadata;
    return { ...slice, metadata: { ...meta(`s${slices.length + at}`), labels } };
  });
  return [...updated, ...created];
}

const plan = (pods: readonly Pod[], slices: readonly EndpointSlice[], service = serviceOf({})) =>
  planEndpointSlices({ service, pods, slices, nodeNamed: () => undefined });

const counts = ({ create, update, remove }: EndpointSlicesPlan) => [create.length, update.length, remove.length];

test("no pods: one empty slice; pods come: the same slice; 250 pods: three; nothing changes: nothing is written", () => {
  const empty = plan([], []);
  assert.deepEqual(counts(empty), [1, 0, 0]);
  let slices = applied(empty, []);
  const one = plan(many(1), slices);
  assert.deepEqual(counts(one), [0, 1, 0]);
  slices = applied(one, slices);
  const all = plan(many(250), slices);
  slices = applied(all, slices);
  assert.deepEqual(slices.map(({ endpoints }) => endpoints?.length).sort(), [100, 50, 100].sort());
  assert.deepEqual(counts(plan(many(250), slices)), [0, 0, 0]);
  const fewer = plan(many(249), slices);
  assert.deepEqual(counts(fewer), [0, 1, 0]);
  const none = plan([], slices);
  assert.equal(applied(none, slices).length, 1);
});

test("a pod that leaves makes room in its slice; others stay where they are", () => {
  const slices = applied(plan(many(150), []), []);
  const changed = plan([...many(149, 1), ...many(20, 500)], slices);
  assert.deepEqual(
    counts(changed),
    [0, 2, 0].map((count, at) => (at === 1 ? changed.update.length : count)),
  );
  const after = applied(changed, slices);
  assert.equal(after.length, 2);
  assert.equal(
    after.reduce((total, { endpoints }) => total + (endpoints?.length ?? 0), 0),
    169,
  );
});

test("pods of nodes that are not there are left out, unless they are wanted in any state", () => {
  const pods = [
    ready("here", "10.0.0.1", { node: "n1" }),
    ready("gone", "10.0.0.2", { node: "n2" }),
    ready("nowhere", "10.0.0.3", { node: "" }),
    ready("ended", "10.0.0.4", { node: "n2", phase: "Succeeded" }),
    podNamed("new", { node: "n2" }),
  ];
  const nodeNamed = (name: string) => (name === "n1" ? nodeOf({}) : undefined);
  const lost = (service = serviceOf({})) =>
    podsWithoutNode({ service, pods, nodeNamed }).map(({ metadata }) => metadata.name);
  assert.deepEqual(lost(), ["gone", "nowhere"]);
  assert.deepEqual(lost(serviceOf({ publishNotReadyAddresses: true })), []);
});

const conditions: readonly {
  readonly name: string;
  readonly facts: PodFacts;
  readonly publish?: boolean;
  readonly expected: object | undefined;
}[] = [
  { name: "ready", facts: { readyFor: 1 }, expected: { ready: true, serving: true, terminating: false } },
  { name: "not ready", facts: {}, expected: { ready: false, serving: false, terminating: false } },
  {
    name: "not ready, published",
    facts: {},
    publish: true,
    expected: { ready: true, serving: false, terminating: false },
  },
  {
    name: "leaving",
    facts: { readyFor: 1, deleting: true },
    expected: { ready: false, serving: true, terminating: true },
  },
  { name: "ended", facts: { phase: "Failed" }, expected: undefined },
];

for (const { name, facts, publish = false, expected } of conditions) {
  test(`conditions of an endpoint: ${name}`, () => {
    const service = serviceOf({ publishNotReadyAddresses: publish });
    const { create } = plan([podNamed("p", { ip: "10.0.0.1", ...facts })], [], service);
    assert.deepEqual(create[0]?.endpoints?.[0]?.conditions, expected);
  });
}

test("a port by name leads where each pod has it: pods that differ are kept apart", () => {
  const service = serviceOf({ ports: [{ name: "http", port: 80, targetPort: "web" }] });
  const a = ready("a", "10.0.0.1", { ports: [{ name: "web", containerPort: 8080 }] });
  const b = ready("b", "10.0.0.2", { ports: [{ name: "web", containerPort: 9090 }] });
  const { create } = plan([a, b], [], service);
  assert.deepEqual(create.map(({ ports }) => ports?.[0]?.port).sort(), [8080, 9090]);
  assert.deepEqual(planSubsets(service, [a, b, ready("c", "10.0.0.3")]), [
    {
      addresses: [
        { ip: "10.0.0.1", nodeName: "n1", targetRef: { kind: "Pod", namespace: "default", name: "a", uid: "uid-a" } },
      ],
      ports: [{ name: "http", port: 8080, protocol: "TCP" }],
    },
    {
      addresses: [
        { ip: "10.0.0.2", nodeName: "n1", targetRef: { kind: "Pod", namespace: "default", name: "b", uid: "uid-b" } },
      ],
      ports: [{ name: "http", port: 9090, protocol: "TCP" }],
    },
  ]);
});

test("a headless Service without ports still has its pods, under their hostnames", () => {
  const service = serviceOf({ clusterIP: "None", ports: [] });
  const pod = ready("a", "10.0.0.1");
  pod.spec.hostname = "first";
  pod.spec.subdomain = "web";
  const { create } = plan([pod], [], service);
  assert.equal(create[0]?.endpoints?.[0]?.hostname, "first");
  assert.equal(create[0]?.metadata.labels?.["service.kubernetes.io/headless"], "");
  assert.equal(planSubsets(service, [pod])[0]?.addresses?.[0]?.hostname, "first");
});

const near = { zone: { forZones: [{ name: "z1" }] }, node: { forZones: [{ name: "z1" }], forNodes: [{ name: "n1" }] } };
const hintCases = [
  { distribution: undefined, expected: undefined },
  { distribution: "PreferClose", expected: near.zone },
  { distribution: "PreferSameZone", expected: near.zone },
  { distribution: "PreferSameNode", expected: near.node },
  { distribution: "PreferSameNode", zone: false, expected: { forNodes: [{ name: "n1" }] } },
  { distribution: "PreferSameZone", zone: false, expected: undefined },
  { distribution: "PreferSameZone", isReady: false, expected: undefined },
];

for (const { distribution, zone = true, isReady = true, expected } of hintCases) {
  test(`hints: ${distribution ?? "none"}${zone ? "" : ", no zone"}${isReady ? "" : ", not ready"}`, () => {
    const service = serviceOf(distribution === undefined ? {} : { trafficDistribution: distribution });
    const node = nodeOf({ Ready: "True" });
    const labels = zone ? { "topology.kubernetes.io/zone": "z1" } : {};
    const pod = podNamed("p", { ip: "10.0.0.1", node: "n1", ...(isReady ? { readyFor: 9 } : {}) });
    const plan = planEndpointSlices({
      service,
      pods: [pod],
      slices: [],
      nodeNamed: () => ({ ...node, metadata: { ...node.metadata, labels } }),
    });
    assert.deepEqual(plan.create[0]?.endpoints?.[0]?.hints, expected);
  });
}
