import assert from "node:assert/strict";
import { test } from "node:test";
import type { Endpoint, EndpointSlice, Node } from "@skiff/api";
import { meta } from "../fixtures/objects.ts";
import { allocationsFor, zoneShares } from "./zone-allocations.ts";
import { giveAndReceive } from "./zone-exchange.ts";
import { addZoneHints } from "./zone-hints.ts";

interface NodeFacts {
  readonly zone?: string;
  readonly cpu?: string;
  readonly ready?: boolean;
  readonly role?: string;
}

const node = ({ zone, cpu = "1", ready = true, role }: NodeFacts): Node => ({
  metadata: {
    ...meta("n"),
    labels: {
      ...(zone === undefined ? {} : { "topology.kubernetes.io/zone": zone }),
      ...(role === undefined ? {} : { [`node-role.kubernetes.io/${role}`]: "" }),
    },
  },
  spec: {},
  status: { allocatable: { cpu }, conditions: [{ type: "Ready", status: ready ? "True" : "False" }] },
});

const shares: readonly {
  readonly what: string;
  readonly nodes: readonly NodeFacts[];
  readonly found: object | string;
}[] = [
  { what: "one zone", nodes: [{ zone: "a" }], found: "unknown" },
  { what: "a node without a zone", nodes: [{ zone: "a" }, { zone: "b" }, {}], found: "unknown" },
  { what: "a node without CPUs", nodes: [{ zone: "a" }, { zone: "b", cpu: "0" }], found: "unknown" },
  {
    what: "two zones",
    nodes: [
      { zone: "a", cpu: "3" },
      { zone: "b", cpu: "500m" },
      { zone: "b", cpu: "500m" },
    ],
    found: { a: 0.75, b: 0.25 },
  },
  {
    what: "lost nodes",
    nodes: [{ zone: "a" }, { zone: "b" }, { zone: "b", ready: false }, { ready: false }],
    found: { a: 0.5, b: 0.5 },
  },
  {
    what: "control planes",
    nodes: [{ zone: "a" }, { zone: "b" }, { role: "control-plane" }, { role: "master" }],
    found: { a: 0.5, b: 0.5 },
  },
];

for (const { what, nodes, found } of shares) {
  test(`zones' shares of the CPUs: ${what}`, () => {
    const is = zoneShares(nodes.map(node));
    assert.deepEqual(typeof is === "string" ? is : Object.fromEntries(is), found);
  });
}

const even = new Map([
  ["a", 0.5],
  ["b", 0.5],
]);
const thirds = new Map(["a", "b", "c"].map((zone) => [zone, 1 / 3]));

test("endpoints that cannot be shared out fairly are not", () => {
  assert.equal(
    allocationsFor("unknown", 9),
    "Insufficient Node information: allocatable CPU or zone not specified on one or more nodes",
  );
  assert.equal(allocationsFor(thirds, 2), "Insufficient number of endpoints (2 endpoints, 3 zones)");
  assert.equal(
    allocationsFor(thirds, 4),
    "Unable to allocate minimum required endpoints to each zone without exceeding overload threshold (4 endpoints, 3 zones)",
  );
  const allocations = allocationsFor(even, 12);
  assert.ok(typeof allocations !== "string");
  assert.deepEqual(allocations.get("a"), { minimum: 5, maximum: 7, desired: 6 });
});

const exchanges = [
  { wanted: [2, 2], there: [4, 0], giving: { a: 2 }, receiving: { b: 2 } },
  { wanted: [2.5, 2.5], there: [3, 2], giving: {}, receiving: {} },
  { wanted: [3.4, 1.6], there: [5, 0], giving: { a: 1 }, receiving: { b: 1 } },
  { wanted: [2, 2], there: [2, 2], giving: {}, receiving: {} },
];

for (const { wanted, there, giving, receiving } of exchanges) {
  test(`zones that have ${there} and should have ${wanted} exchange endpoints`, () => {
    const zones = ["a", "b"];
    const allocation = (desired: number) => ({ minimum: 0, maximum: 9, desired });
    const found = giveAndReceive(
      new Map(zones.map((zone, at) => [zone, allocation(wanted[at] ?? 0)])),
      new Map(zones.map((zone, at) => [zone, there[at] ?? 0])),
    );
    assert.deepEqual([Object.fromEntries(found.giving), Object.fromEntries(found.receiving)], [giving, receiving]);
  });
}

const endpoint = (address: string, zone: string | undefined, hint?: string): Endpoint => ({
  addresses: [address],
  conditions: { ready: true },
  ...(zone === undefined ? {} : { zone }),
  ...(hint === undefined ? {} : { hints: { forZones: [{ name: hint }] } }),
});
const slice = (name: string, endpoints: Endpoint[]): EndpointSlice => ({
  metadata: meta(name),
  addressType: "IPv4",
  endpoints,
  ports: [],
});
const hintsOf = (slices: readonly { readonly endpoints?: Endpoint[] | undefined }[]) =>
  slices.flatMap(({ endpoints = [] }) => endpoints.map(({ hints }) => hints?.forZones?.[0]?.name));

test("endpoints are for their own zone; where it has too many, for another", () => {
  const fresh = slice(
    "s",
    ["a", "a", "a", "a"].map((zone, at) => endpoint(`10.0.0.${at}`, zone)),
  );
  const { plan, outcome } = addZoneHints({ create: [], update: [fresh], remove: [] }, [fresh], even);
  assert.deepEqual(outcome, { kind: "hinted" });
  assert.deepEqual(hintsOf(plan.update).sort(), ["a", "a", "b", "b"]);
});

test("slices whose hints are good are not written; those whose zone has gone are", () => {
  const good = slice("good", [endpoint("10.0.0.1", "a", "a"), endpoint("10.0.0.2", "b", "b")]);
  assert.deepEqual(addZoneHints({ create: [], update: [], remove: [] }, [good], even).plan.update, []);
  const gone = slice("gone", [endpoint("10.0.0.1", "a", "a"), endpoint("10.0.0.2", "b", "x")]);
  const { plan } = addZoneHints({ create: [], update: [], remove: [] }, [gone], even);
  assert.deepEqual(hintsOf(plan.update), ["a", "b"]);
});

test("one endpoint without a zone, and no endpoint has hints", () => {
  const old = slice("old", [endpoint("10.0.0.1", "a", "a"), endpoint("10.0.0.2", "b", "b")]);
  const fresh = slice("fresh", [endpoint("10.0.0.3", undefined), endpoint("10.0.0.4", "b")]);
  const { plan, outcome } = addZoneHints({ create: [], update: [fresh], remove: [] }, [old, fresh], even);
  assert.deepEqual(outcome, { kind: "disabled", why: "One or more endpoints do not have a zone specified" });
  assert.deepEqual(hintsOf(plan.update), [undefined, undefined, undefined, undefined]);
});

test("endpoints that are not ready are for nobody", () => {
  const ending = { ...endpoint("10.0.0.9", "a", "a"), conditions: { ready: false } };
  const fresh = slice("s", [endpoint("10.0.0.1", "a"), endpoint("10.0.0.2", "b"), ending]);
  const { plan } = addZoneHints({ create: [], update: [fresh], remove: [] }, [fresh], even);
  assert.deepEqual(hintsOf(plan.update), ["a", "b", undefined]);
});
