import assert from "node:assert/strict";
import { test } from "node:test";
import { deepCopy, deepFreeze, jsonEqual, parseJson } from "./json.ts";

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

test("whole numbers of 64 bits keep their digits", () => {
  const cases: readonly string[] = [
    '{"a":9007199254740993}',
    '{"a":[-9223372036854775808,9223372036854775807,1]}',
    '{"a":"12345678901234567890","b":1.5}',
    "9007199254740993",
    '{"a": \n 9007199254740993}',
  ];
  for (const text of cases) assert.equal(JSON.stringify(parseJson(text)), text.replaceAll(/\s/g, ""));
  assert.deepEqual(parseJson('{"a":9007199254740991,"b":12345678901234567890,"c":1e20}'), {
    a: 9007199254740991,
    b: 12345678901234567000,
    c: 100000000000000000000,
  });
  assert.throws(() => parseJson('{"a":9007199254740993'), SyntaxError);
});
