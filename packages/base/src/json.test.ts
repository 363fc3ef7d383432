import assert from "node:assert/strict";
import { test } from "node:test";
import { deepCopy, deepFreeze, jsonEqual } from "./json.ts";

test("a copy shares nothing and loses nothing but undefined members", () => {
  const original = deepFreeze(JSON.parse('{"a":[1,{"b":null}],"__proto__":{"c":true}}'));
  const copy = deepCopy(original);
  assert.equal(JSON.stringify(copy), JSON.stringify(original));
  copy.a[1].b = "changed";
  assert.equal(original.a[1].b, null);
  assert.deepEqual(Object.keys(deepCopy({ a: undefined, b: 1 })), ["b"]);
});

test("equality by structure, where undefined counts as absent", () => {
  const cases: readonly [unknown, unknown, boolean][] = [
    [{ a: 1, b: undefined }, { a: 1 }, true],
    [{ a: 1 }, { a: 1, b: undefined }, true],
    [{ a: 1 }, { a: 1, b: null }, false],
    [{ a: [1, 2] }, { a: [2, 1] }, false],
    [{ a: {} }, { a: [] }, false],
    ["1", 1, false],
  ];
  for (const [a, b, equal] of cases) assert.equal(jsonEqual(a, b), equal, JSON.stringify([a, b]));
});
