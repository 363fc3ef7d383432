import assert from "node:assert/strict";
import { test } from "node:test";
import { deepFreeze, randomInt, seededRandom } from "@skiff/base";
import {
  differenceOf,
  type FieldSet,
  FieldSetBuilder,
  intersectionOf,
  isEmptySet,
  pathsOf,
  recursiveDifferenceOf,
  unionOf,
} from "./field-set.ts";

const setOf = (...paths: readonly string[]): FieldSet => {
  const builder = new FieldSetBuilder();
  for (const path of paths) builder.insert(path.split(" "));
  return deepFreeze(builder.build());
};
const textOf = (set: FieldSet): string[] => pathsOf(set).map((path) => path.join(" "));

test("the stored form", () => {
  const set = setOf("f:b", "f:a f:x", "f:a", 'f:c k:{"n":1} f:y', 'f:c k:{"n":1}', "i:1", 'v:"z"');
  assert.equal(
    JSON.stringify(set),
    '{"f:a":{".":{},"f:x":{}},"f:b":{},"f:c":{"k:{\\"n\\":1}":{".":{},"f:y":{}}},"v:\\"z\\"":{},"i:1":{}}',
  );
});

test("taking a member away leaves what is below it", () => {
  assert.deepEqual(textOf(differenceOf(setOf("f:a", "f:a f:x"), setOf("f:a"))), ["f:a f:x"]);
  assert.deepEqual(textOf(recursiveDifferenceOf(setOf("f:a", "f:a f:x", "f:b"), setOf("f:a"))), ["f:b"]);
  const set = setOf("f:a f:x", "f:b");
  assert.equal(differenceOf(set, setOf("f:a", "f:c")), set);
});

test("operations agree with sets of paths", () => {
  const random = seededRandom(9);
  const pick = () => {
    const paths: string[] = [];
    for (let count = randomInt(random, 6); count > 0; count--) {
      paths.push(Array.from({ length: 1 + randomInt(random, 3) }, () => `f:${"abc"[randomInt(random, 3)]}`).join(" "));
    }
    return paths;
  };
  for (let round = 0; round < 2000; round++) {
    const [left, right] = [new Set(pick()), new Set(pick())];
    const [a, b] = [setOf(...left), setOf(...right)];
    const same = (set: FieldSet, paths: Set<string>) => {
      assert.deepEqual(new Set(textOf(set)), paths);
      assert.equal(isEmptySet(set), paths.size === 0);
      assert.equal(JSON.stringify(set), JSON.stringify(setOf(...paths)));
    };
    same(unionOf(a, b), left.union(right));
    same(differenceOf(a, b), left.difference(right));
    same(intersectionOf(a, b), left.intersection(right));
  }
});
