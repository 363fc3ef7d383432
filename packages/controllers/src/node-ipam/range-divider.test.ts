import assert from "node:assert/strict";
import { test } from "node:test";
import { parseRange, present } from "@skiff/base";
import { RangeDivider } from "./range-divider.ts";

const range = (text: string) => present(parseRange(text), text);
const divider = (reserved: readonly string[] = []) => new RangeDivider(range("10.42.0.0/22"), 24, reserved.map(range));
const take = (from: RangeDivider, wanted?: string): string | undefined => {
  const found = from.find(wanted);
  if (found !== undefined) from.hold(found);
  return found;
};

test("parts are given one after the other, and again when all were given", () => {
  const from = divider();
  const given = [1, 2, 3, 4, 5].map(() => take(from));
  assert.deepEqual(given, ["10.42.0.0/24", "10.42.1.0/24", "10.42.2.0/24", "10.42.3.0/24", undefined]);
  from.letGo("10.42.1.0/24");
  assert.equal(take(from), "10.42.1.0/24");
});

test("what was given back is not the next to be given", () => {
  const from = divider();
  take(from);
  from.letGo("10.42.0.0/24");
  assert.equal(take(from), "10.42.1.0/24");
});

const wishes = [
  { wish: "10.42.2.0/24", given: "10.42.2.0/24" },
  { wish: "10.42.2.0/25", given: "10.42.1.0/24" },
  { wish: "10.42.0.0/24", given: "10.42.1.0/24" },
  { wish: "10.99.0.0/24", given: "10.42.1.0/24" },
  { wish: "nonsense", given: "10.42.1.0/24" },
];

for (const { wish, given } of wishes) {
  test(`who wants ${wish} while 10.42.0.0/24 is held gets ${given}`, () => {
    const from = divider();
    from.hold("10.42.0.0/24");
    assert.equal(take(from, wish), given);
  });
}

test("parts that overlap what is reserved, or what others hold of other sizes, are left out", () => {
  const from = divider(["10.42.0.0/23"]);
  from.hold("10.42.2.128/25");
  assert.deepEqual([take(from), take(from)], ["10.42.3.0/24", undefined]);
  assert.equal(take(divider(["10.0.0.0/8"])), undefined);
});

test("a part that two hold is free when both have let it go", () => {
  const from = new RangeDivider(range("10.42.0.0/24"), 24, []);
  from.hold("10.42.0.0/24");
  from.hold("10.42.0.0/24");
  from.letGo("10.42.0.0/24");
  assert.equal(take(from), undefined);
  from.letGo("10.42.0.0/24");
  assert.equal(take(from), "10.42.0.0/24");
});

test("networks of the other family are no business of it", () => {
  const from = new RangeDivider(range("fd00::/62"), 64, []);
  from.hold("10.42.0.0/24");
  assert.deepEqual([take(from), take(from)], ["fd00::/64", "fd00:0:0:1::/64"]);
});
