import assert from "node:assert/strict";
import { test } from "node:test";
import { deepCopy, deepFreeze, jsonEqual, parseJson, sharedWith } from "./json.ts";

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

test("what two values have in common is shared, and what is the same altogether is the old one", () => {
  const old = deepFreeze({ a: { b: [1, { c: "x" }, { d: 1 }] }, e: { f: null }, g: undefined });
  const next = sharedWith(deepCopy({ ...old, a: { b: [1, { c: "x" }, { d: 2 }, { n: 1 }] }, h: {} }), old);
  assert.deepEqual(next, { a: { b: [1, { c: "x" }, { d: 2 }, { n: 1 }] }, e: { f: null }, h: {} });
  assert.equal(next.e, old.e);
  assert.equal(next.a.b[1], old.a.b[1]);
  assert.notEqual(next.a, old.a);
  assert.equal(sharedWith(deepCopy(old), old), old);
  const cases: readonly [unknown, unknown][] = [
    [{ a: 1 }, { a: 1, b: 2 }],
    [{ a: 1, b: 2 }, { a: 1 }],
    [{ constructor: 1 }, {}],
    [[1], [1, 2]],
    [[], {}],
    [{}, []],
    [null, {}],
    [deepFreeze({ a: { b: 1 } }), { a: { b: 2 } }],
  ];
  for (const [value, other] of cases) {
    const said = JSON.stringify(value);
    assert.equal(sharedWith(value, other), value);
    assert.equal(JSON.stringify(value), said);
  }
  const frozen = deepFreeze({ a: { b: 1 } });
  assert.equal(sharedWith(deepFreeze({ a: { b: 1 } }), frozen), frozen);
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
