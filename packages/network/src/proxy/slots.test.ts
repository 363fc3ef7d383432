import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { affinityTimeoutFor, affinityTimeouts, endpointId } from "./affinity.ts";
import { fillSlots, keepPlaces, localSlotOffset, slotCountFor, slotCounts } from "./slots.ts";

describe("slots", () => {
  for (const [endpoints, slots] of [
    [1, 1],
    [2, 2],
    [16, 16],
    [17, 32],
    [32, 32],
    [33, 64],
    [1024, 1024],
    [5000, 1024],
  ] as const) {
    it(`holds ${endpoints} endpoints in ${slots}`, () => assert.equal(slotCountFor(endpoints), slots));
  }

  it("are filled so that no endpoint has more than twice another's share", () => {
    for (let count = 1; count <= 300; count++) {
      const filled = fillSlots(Array.from({ length: count }, (_, index) => index));
      assert.equal(filled.length, slotCountFor(count));
      const shares = new Map<number, number>();
      for (const one of filled) shares.set(one, (shares.get(one) ?? 0) + 1);
      assert.equal(shares.size, count);
      assert.ok(Math.max(...shares.values()) <= 2 * Math.min(...shares.values()));
    }
  });

  it("are none for no endpoints, and never reach into those of the node's own", () => {
    assert.deepEqual(fillSlots([]), []);
    assert.ok(Math.max(...slotCounts) <= localSlotOffset);
  });
});

describe("keepPlaces", () => {
  const table: readonly (readonly [string, string, string])[] = [
    ["ab", "", "ab"],
    ["abc", "ab", "abc"],
    ["ac", "abc", "ac"],
    ["bc", "abc", "cb"],
    ["abcd", "dcb", "dcba"],
    ["xyz", "abc", "xyz"],
    ["ab", "aab", "ab"],
    ["", "ab", ""],
  ];
  for (const [endpoints, before, kept] of table) {
    it(`puts ${endpoints || "nothing"} after ${before || "nothing"} as ${kept || "nothing"}`, () =>
      assert.equal(keepPlaces([...endpoints], [...before]).join(""), kept));
  }
});

describe("affinityTimeoutFor", () => {
  for (const [seconds, kept] of [
    [undefined, 10_800],
    [1, 1],
    [10, 10],
    [11, 12],
    [61, 90],
    [10_800, 10_800],
    [86_400, 86_400],
  ] as const) {
    it(`keeps ${seconds ?? "the default"} as ${kept}`, () => assert.equal(affinityTimeoutFor(seconds), kept));
  }

  it("is never shorter than asked, nor longer by more than half", () => {
    assert.deepEqual(
      [...affinityTimeouts].sort((a, b) => a - b),
      affinityTimeouts,
    );
    for (let seconds = 1; seconds <= 86_400; seconds += 7) {
      const kept = affinityTimeoutFor(seconds);
      assert.ok(kept >= seconds && kept <= seconds * 1.5, `${seconds} became ${kept}`);
    }
  });
});

describe("endpointId", () => {
  for (const [address, id] of [
    ["10.42.0.7", "a2a:7"],
    ["192.168.255.1", "c0a8:ff01"],
    ["10.0.0.0", "a00:"],
  ] as const) {
    it(`writes ${address} as nft does`, () => assert.equal(endpointId(address), id));
  }
});
