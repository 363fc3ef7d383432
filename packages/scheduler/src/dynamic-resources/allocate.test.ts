import assert from "node:assert/strict";
import { test } from "node:test";
import type {
  Device,
  DeviceClass,
  DeviceConstraint,
  DeviceRequest,
  DynamicResourceClaim,
  ResourceSlice,
} from "@skiff/api";
import * as engine from "@skiff/cel";
import { node } from "../fixtures/objects.ts";
import { type AllocationOutcome, allocate, type DevicesInUse } from "./allocate.ts";
import { newestSlices, poolsOf } from "./pools.ts";
import { selectorMatch } from "./selectors.ts";

const driver = "gpu.example.com";
const meta = (name: string) => ({ name, uid: name, resourceVersion: "1", creationTimestamp: "2026-01-01T00:00:00Z" });

const slice = (name: string, spec: Partial<ResourceSlice["spec"]>): ResourceSlice => ({
  metadata: meta(name),
  spec: { driver, nodeName: "a", pool: { name: "a", generation: 1, resourceSliceCount: 1 }, ...spec },
});
const device = (name: string, more: Partial<Device> = {}): Device => ({ name, ...more });
const large = device("large", { attributes: { size: { string: "large" }, numa: { int: 0 } } });
const small0 = device("small0", { attributes: { size: { string: "small" }, numa: { int: 0 } } });
const small1 = device("small1", { attributes: { size: { string: "small" }, numa: { int: 1 } } });
const small2 = device("small2", { attributes: { size: { string: "small" }, numa: { int: 1 } } });

const claimOf = (
  requests: readonly DeviceRequest[],
  constraints: readonly DeviceConstraint[] = [],
): DynamicResourceClaim => ({
  metadata: { ...meta("c"), namespace: "default" },
  spec: { devices: { requests: [...requests], constraints: [...constraints] } },
  status: {},
});
type Exactly = NonNullable<DeviceRequest["exactly"]>;
const exactly = (name: string, more: Partial<Exactly> = {}): DeviceRequest => ({
  name,
  exactly: { deviceClassName: "gpu", ...more },
});
const sized = (size: string) => [{ cel: { expression: `device.attributes["${driver}"].size == "${size}"` } }];
const classes: Readonly<Record<string, DeviceClass>> = {
  gpu: { metadata: meta("gpu"), spec: { selectors: [{ cel: { expression: `device.driver == "${driver}"` } }] } },
  other: { metadata: meta("other"), spec: { selectors: [{ cel: { expression: "device.driver == 'x'" } }] } },
};

const free: DevicesInUse = { whole: new Set(), shared: new Map() };
const held = (...names: readonly string[]): DevicesInUse => ({
  whole: new Set(names.map((name) => `${driver}/a/${name}`)),
  shared: new Map(),
});

function search(
  claims: readonly DynamicResourceClaim[],
  slices: readonly ResourceSlice[],
  inUse: DevicesInUse = free,
): string {
  const matches = selectorMatch(engine);
  const pools = poolsOf(node("a"), newestSlices(slices));
  const said: AllocationOutcome = allocate({ claims, pools, inUse, classOf: (name) => classes[name], matches });
  if (said.kind === "none") return said.reason;
  return said.allotments
    .map((list) => list.map((one) => `${one.want.name}=${one.device.device.name}`).join())
    .join("; ");
}

const four = [slice("s", { devices: [large, small0, small1, small2] })];
const none = "cannot allocate all claims";
const same = { matchAttribute: `${driver}/numa` };
const apart = { distinctAttribute: `${driver}/numa` };

const table: readonly (readonly [
  string,
  DynamicResourceClaim | readonly DynamicResourceClaim[],
  string,
  DevicesInUse?,
])[] = [
  ["the first device", claimOf([exactly("r")]), "r=large"],
  ["one that nobody has", claimOf([exactly("r")]), "r=small0", held("large")],
  ["one that the selector takes", claimOf([exactly("r", { selectors: sized("small") })]), "r=small0"],
  ["none of another class", claimOf([exactly("r", { deviceClassName: "other" })]), none],
  ["several", claimOf([exactly("r", { count: 3 })]), "r=large,r=small0,r=small1"],
  ["not more than there are", claimOf([exactly("r", { count: 5 })]), none],
  [
    "all that match",
    claimOf([exactly("r", { allocationMode: "All", selectors: sized("small") })]),
    "r=small0,r=small1,r=small2",
  ],
  ["all, or none", claimOf([exactly("r", { allocationMode: "All" })]), none, held("small1")],
  ["two requests, none twice", claimOf([exactly("r"), exactly("s")]), "r=large,s=small0"],
  ["two claims, none twice", [claimOf([exactly("r")]), claimOf([exactly("r")])], "r=large; r=small0"],
  [
    "back where the first choice does not go on",
    claimOf([exactly("r"), exactly("s", { selectors: sized("large") })]),
    "r=small0,s=large",
  ],
  ["devices alike", claimOf([exactly("r", { count: 2, selectors: sized("small") })], [same]), "r=small1,r=small2"],
  [
    "devices alike across requests",
    claimOf(
      [exactly("r", { selectors: sized("small") }), exactly("s", { selectors: sized("small") })],
      [{ ...same, requests: ["r", "s"] }],
    ),
    "r=small1,s=small2",
  ],
  ["devices apart", claimOf([exactly("r", { count: 2 })], [apart]), "r=large,r=small1"],
  [
    "no constraint on other requests",
    claimOf([exactly("r"), exactly("s", { selectors: sized("small") })], [{ ...same, requests: ["s"] }]),
    "r=large,s=small0",
  ],
  ["what others have, to look at it", claimOf([exactly("r", { adminAccess: true })]), "r=large", held("large")],
  [
    "the best alternative that there is",
    claimOf([
      {
        name: "r",
        firstAvailable: [
          { name: "big", deviceClassName: "gpu", selectors: sized("large"), count: 2 },
          { name: "two", deviceClassName: "gpu", selectors: sized("small"), count: 2 },
        ],
      },
    ]),
    "r/two=small0,r/two=small1",
  ],
];
for (const [what, claims, expected, inUse] of table) {
  test(`a claim gets ${what}`, () => {
    assert.equal(search("length" in claims ? claims : [claims], four, inUse), expected);
  });
}

test("pools that are being changed give nothing, nor do older generations", () => {
  const pool = (generation: number, resourceSliceCount: number) => ({ name: "a", generation, resourceSliceCount });
  const old = slice("old", { devices: [large], pool: pool(1, 1) });
  const first = slice("first", { devices: [small0], pool: pool(2, 2) });
  const second = slice("second", { devices: [small1], pool: pool(2, 2) });
  assert.equal(search([claimOf([exactly("r")])], [old, first]), none);
  assert.equal(search([claimOf([exactly("r")])], [old, first, second]), "r=small0");
  assert.equal(
    search([claimOf([exactly("r", { allocationMode: "All" })])], [old, first]),
    "claim default/c, request r: asks for all devices, but resource pool gpu.example.com/a is currently being updated",
  );
  const twice = slice("twice", { devices: [small0, small0] });
  assert.equal(search([claimOf([exactly("r")])], [twice]), "invalid resource pools were encountered");
});

test("devices are where their slices, or they themselves, say", () => {
  const on = (more: Partial<ResourceSlice["spec"]>, devices: readonly Device[] = [large]) => {
    const { nodeName: _, ...spec } = slice("s", {}).spec;
    return search(
      [claimOf([exactly("r")])],
      [{ metadata: meta("s"), spec: { ...spec, devices: [...devices], ...more } }],
    );
  };
  const term = (values: string[]) => ({
    nodeSelectorTerms: [{ matchFields: [{ key: "metadata.name", operator: "In", values }] }],
  });
  assert.equal(on({ nodeName: "b" }), none);
  assert.equal(on({ allNodes: true }), "r=large");
  assert.equal(on({ nodeSelector: term(["a"]) }), "r=large");
  assert.equal(on({ nodeSelector: term(["b"]) }), none);
  const each = [device("there", { nodeName: "b" }), device("here", { nodeName: "a" })];
  assert.equal(on({ perDeviceNodeSelection: true }, each), "r=here");
});

test("parts of a device share its counters", () => {
  const consumes = (value: string) => ({ consumesCounters: [{ counterSet: "card", counters: { memory: { value } } }] });
  const parts = slice("s", {
    sharedCounters: [{ name: "card", counters: { memory: { value: "40Gi" } } }],
    devices: [device("whole", consumes("40Gi")), device("half0", consumes("20Gi")), device("half1", consumes("20Gi"))],
  });
  const one = claimOf([exactly("r")]);
  const two = claimOf([exactly("r", { count: 2 })]);
  assert.equal(search([one], [parts]), "r=whole");
  assert.equal(search([two], [parts]), "r=half0,r=half1");
  assert.equal(search([one], [parts], held("half1")), "r=half0");
  assert.equal(search([one], [parts], held("whole")), none);
});

test("taints keep devices from those who do not tolerate them", () => {
  const taints = [{ key: "broken", value: "fan", effect: "NoSchedule" }];
  const tainted = [slice("s", { devices: [device("bad", { taints })] })];
  const tolerating = (toleration: object) => claimOf([exactly("r", { tolerations: [toleration] })]);
  assert.equal(search([claimOf([exactly("r")])], tainted), none);
  assert.equal(search([tolerating({ key: "broken", operator: "Exists" })], tainted), "r=bad");
  assert.equal(search([tolerating({ key: "broken", operator: "Equal", value: "fan" })], tainted), "r=bad");
  assert.equal(search([tolerating({ key: "broken", operator: "Equal", value: "cable" })], tainted), none);
  assert.equal(search([tolerating({ operator: "Exists", effect: "NoExecute" })], tainted), none);
});

test("a device that may be shared is taken from by what is asked of it", () => {
  const capacity = {
    bandwidth: { value: "10G", requestPolicy: { default: "1G", validRange: { min: "1G", step: "2G", max: "7G" } } },
  };
  const nic = [slice("s", { devices: [device("nic", { allowMultipleAllocations: true, capacity })] })];
  const asks = (bandwidth: string) => claimOf([exactly("r", { capacity: { requests: { bandwidth } } })]);
  const used = (bandwidth: string): DevicesInUse => ({
    whole: new Set(),
    shared: new Map([[`${driver}/a/nic`, [{ bandwidth }]]]),
  });
  // 4G is rounded up to 5G.
  assert.equal(search([asks("4G")], nic, used("5G")), "r=nic");
  assert.equal(search([asks("4G")], nic, used("6G")), none);
  assert.equal(search([asks("8G")], nic), none);
  assert.equal(search([claimOf([exactly("r")])], nic, used("9G")), "r=nic");
  assert.equal(search([asks("5G"), asks("5G")], nic), "r=nic; r=nic");
  assert.equal(search([asks("5G"), asks("5G"), asks("1G")], nic), none);
  const whole = [slice("s", { devices: [device("disk", { capacity: { space: { value: "10Gi" } } })] })];
  const space = (amount: string) => claimOf([exactly("r", { capacity: { requests: { space: amount } } })]);
  assert.equal(search([space("5Gi")], whole), "r=disk");
  assert.equal(search([space("11Gi")], whole), none);
});

test("a selector that fails ends the search with the name of who wrote it", () => {
  const claim = claimOf([exactly("r", { selectors: [{ cel: { expression: 'device.attributes["x.com"].a == 1' } }] })]);
  assert.throws(
    () => search([claim], four),
    /^SelectorError: claim default\/c: selector #0: CEL runtime error: no such key: a$/,
  );
});

test("a search without end is given up", () => {
  const many = Array.from({ length: 30 }, (_, at) => device(`d${at}`, { attributes: { n: { int: at } } }));
  const claim = claimOf([exactly("r", { count: 15 }), exactly("s", { deviceClassName: "other" })]);
  assert.equal(search([claim], [slice("s", { devices: many })]), "timed out trying to allocate devices");
});
