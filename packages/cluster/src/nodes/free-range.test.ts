import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { freeRange, routedNetworks } from "./free-range.ts";

describe("freeRange", () => {
  for (const [name, slot, used, expected] of [
    ["each slot has its own", 3, [], "10.201.3.0/24"],
    ["what is taken is passed over", 3, ["10.201.3.128/25", "10.201.4.7/32"], "10.201.5.0/24"],
    ["the last is followed by the first", 63, ["10.201.63.0/24", "10.201.64.0/18", "10.201.128.0/17"], "10.201.0.0/24"],
    ["what is no network of IPv4 takes nothing", 0, ["fd00::/8", "nonsense"], "10.201.0.0/24"],
  ] as const) {
    it(name, () => assert.equal(freeRange(slot, used), expected));
  }

  it("says so where nothing is left", () => {
    assert.throws(() => freeRange(0, ["10.0.0.0/8"]), /no network below 10\.201\.0\.0\/16 is free/);
  });
});

it("the default route leads nowhere in particular", () => {
  const routes = [{ destination: "default" }, { destination: "10.201.0.1" }, { destination: "10.42.0.0/24" }];
  assert.deepEqual(routedNetworks(routes), ["10.201.0.1/32", "10.42.0.0/24"]);
});
