import assert from "node:assert/strict";
import { test } from "node:test";
import {
  addressText,
  contains,
  macOf,
  overlaps,
  parseAddress,
  parseRange,
  rangeText,
  subnet,
  subnetCount,
} from "./ip-range.ts";

const addresses = [
  ["10.96.0.1", "10.96.0.1"],
  ["fd00:0:0:0:0:0:0:1", "fd00::1"],
  ["::", "::"],
  ["2001:DB8::a:0:0:1", "2001:db8::a:0:0:1"],
  ["::ffff:1.2.3.4", "::ffff:102:304"],
  ["10.96.0", undefined],
  ["fe80::1%eth0", undefined],
  ["", undefined],
] as const;

for (const [text, written] of addresses) {
  test(`the address ${JSON.stringify(text)} is read as ${written ?? "none"}`, () => {
    const address = parseAddress(text);
    assert.equal(address === undefined ? undefined : addressText(address), written);
  });
}

const ranges = [
  ["10.96.7.9/16", "10.96.0.0/16"],
  ["fd00:1::5/64", "fd00:1::/64"],
  ["10.0.0.1/32", "10.0.0.1/32"],
  ["0.0.0.0/0", "0.0.0.0/0"],
  ["10.0.0.0/33", undefined],
  ["10.0.0.0", undefined],
  ["x/8", undefined],
] as const;

for (const [text, written] of ranges) {
  test(`the network ${text} is read as ${written ?? "none"}`, () => {
    const range = parseRange(text);
    assert.equal(range === undefined ? undefined : rangeText(range), written);
  });
}

const networkOf = (text: string) => {
  const range = parseRange(text);
  assert.ok(range);
  return range;
};

test("networks are divided", () => {
  const range = networkOf("10.42.0.0/16");
  assert.equal(subnetCount(range, 24), 256);
  assert.equal(rangeText(subnet(range, 24, 255)), "10.42.255.0/24");
  assert.equal(rangeText(subnet(networkOf("fd00::/48"), 64, 258)), "fd00:0:0:102::/64");
});

test("networks overlap when one lies in the other", () => {
  const range = networkOf("10.42.0.0/16");
  assert.ok(overlaps(range, networkOf("10.42.3.0/24")));
  assert.ok(overlaps(networkOf("10.42.3.0/24"), range));
  assert.ok(!overlaps(range, networkOf("10.43.0.0/16")));
  assert.ok(!overlaps(networkOf("0.0.0.0/0"), networkOf("::/0")));
  assert.ok(!contains(range, { family: "IPv4", value: range.first - 1n }));
});

test("MACs follow from addresses and from what they are for", () => {
  const address = parseAddress("10.42.0.255");
  assert.ok(address);
  assert.deepEqual([macOf("pods", address), macOf("tunnel", address)], ["0a:58:0a:2a:00:ff", "0a:6b:0a:2a:00:ff"]);
});
