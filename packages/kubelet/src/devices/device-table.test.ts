import assert from "node:assert/strict";
import { test } from "node:test";
import { numaNodes } from "../topology/numa.ts";
import { chooseDevices, type DeviceWish } from "./choose-devices.ts";
import { DeviceTable, type KnownDevice, pluginGraceMs } from "./device-table.ts";

const resource = "example.com/card";
const device = (id: string, numa?: readonly number[], healthy = true): KnownDevice => ({
  id,
  healthy,
  ...(numa === undefined ? {} : { numa }),
});
const tableOf = (...devices: readonly KnownDevice[]) => {
  const table = new DeviceTable();
  table.update(resource, devices);
  return table;
};

test("a plugin that goes leaves devices that cannot be used, and after its grace none", () => {
  const table = tableOf(device("a"), device("b", undefined, false));
  const counts = () => table.counts().get(resource);
  assert.deepEqual(counts(), { capacity: 2, allocatable: 1 });
  table.stop(resource, 1000);
  assert.deepEqual(counts(), { capacity: 2, allocatable: 0 });
  assert.equal(table.nextExpiryMs(), 1000 + pluginGraceMs);
  table.expire(999 + pluginGraceMs);
  assert.deepEqual(counts(), { capacity: 2, allocatable: 0 });
  table.expire(1000 + pluginGraceMs);
  assert.deepEqual([counts(), table.has(resource)], [{ capacity: 0, allocatable: 0 }, false]);
  table.update(resource, [device("a")]);
  assert.deepEqual(counts(), { capacity: 1, allocatable: 1 });
});

test("hints name the sets of nodes that have enough, and prefer the smallest that could ever do", () => {
  const table = tableOf(device("a", [0]), device("b", [1]), device("c", [1]), device("d"));
  const hints = (count: number, available: readonly string[]) =>
    table
      .hints(resource, { count, available, reusable: [] }, [0, 1])
      ?.map(({ nodes = 0, preferred }) => `${numaNodes(nodes)}${preferred ? "!" : ""}`);
  assert.deepEqual(hints(1, ["a", "b", "c"]), ["0!", "1!", "0,1"]);
  assert.deepEqual(hints(2, ["a", "b", "c"]), ["1!", "0,1"]);
  assert.deepEqual(hints(2, ["a", "b"]), ["0,1"]);
  assert.deepEqual(hints(4, ["a", "b", "c"]), []);
  assert.equal(tableOf(device("d")).hints(resource, { count: 1, available: ["d"], reusable: [] }, [0, 1]), undefined);
});

const wish = (more: Partial<DeviceWish> = {}): DeviceWish => ({
  resource,
  count: 1,
  held: [],
  reusable: [],
  taken: new Set(),
  ...more,
});
const spread = tableOf(device("a", [0]), device("b", [1]), device("c", [1]), device("d"));

const choices: readonly (readonly [string, Partial<DeviceWish>, string])[] = [
  ["the first", {}, " of a,b,c,d"],
  ["near ones alone to choose from", { affinity: 0b10 }, " of b,c"],
  ["all near ones, then those that tell nothing", { affinity: 0b10, count: 3 }, "b,c of d"],
  ["far ones last", { affinity: 0b01, count: 3 }, "a,d of b,c"],
  ["what init containers had", { reusable: ["c"], taken: new Set(["c"]), count: 2 }, "c of a,b,d"],
  ["what it has", { held: ["b"], taken: new Set(["b"]) }, "held"],
];
for (const [what, more, expected] of choices) {
  test(`a container gets ${what}`, () => {
    const choice = chooseDevices(spread, wish(more));
    const said = choice.kind === "choose" ? `${choice.chosen} of ${choice.from}` : choice.kind;
    assert.equal(said, expected);
  });
}

const failures: readonly (readonly [DeviceTable, Partial<DeviceWish>, string])[] = [
  [spread, { resource: "example.com/other" }, "cannot allocate unregistered device example.com/other"],
  [
    tableOf(device("a", undefined, false)),
    {},
    "no healthy devices present; cannot allocate unhealthy devices example.com/card",
  ],
  [
    tableOf(device("a", undefined, false), device("b")),
    { held: ["a"] },
    "previously allocated devices are no longer healthy; cannot allocate unhealthy devices example.com/card",
  ],
  [
    spread,
    { count: 2, taken: new Set(["a", "b", "c"]) },
    "requested number of devices unavailable for example.com/card. Requested: 2, Available: 1",
  ],
];
for (const [table, more, message] of failures) {
  test(`a container gets none: ${message}`, () => {
    assert.deepEqual(chooseDevices(table, wish(more)), { kind: "impossible", message });
  });
}
