import assert from "node:assert/strict";
import { test } from "node:test";
import { compile } from "../compile.ts";
import { types } from "../types/cel-type.ts";
import { celFromJson } from "../values/json.ts";

const object = { name: "a name of 20 letters", tags: ["a", "bb", "ccc"], count: 3, nested: { on: true } };

/** Costs by hand, from CEL's table: names and fields 1, lists 10, maps 30, objects 40, a tenth a code point walked over. */
const costs: readonly [string, number][] = [
  ["1", 0],
  ["object.count", 2],
  ["object.count > 2", 3],
  ["object.count + 1 == 4", 4],
  ["object.nested.on && object.count > 2", 6],
  ["object.nested.on || object.count > 2", 3],
  ["object.nested.on ? 1 : object.count", 3],
  ["has(object.count)", 1],
  ["object.tags[0]", 3],
  ["[1, 2]", 10],
  ["{'a': 1}", 30],
  ["object.name == object.name", 2 + 2 + 2],
  ["object.name.startsWith('a')", 2 + 2],
  ["object.name.contains('name')", 2 + 2 * 1],
  ["object.name.matches('^a')", 2 + Math.ceil(21 / 10) * 1],
  ["object.name + object.name", 2 + 2 + 4],
  ["'a' in object.tags", 2 + 3],
  ["size(object.tags)", 3],
  ["object.tags.all(t, size(t) > 0)", 2 + 3 * (2 + 1 + 3) + 1],
  ["object.tags.isSorted()", 2 + 0],
  ["[1, 2, 3].sum()", 10 + 3],
  ["object.name.indexOf('x')", 2 + 2],
  ["object.tags.join(',')", 2 + Math.ceil(8 * 2 * 0.1)],
  ["object.name.split(' ')", 2 + 4],
  ["object.name.lowerAscii()", 2 + 2],
  ["quantity('1Gi').isInteger()", 1 + 1],
  ["format.dns1123Label().validate('abc')", 1 + 1 * 8],
  ["cel.bind(x, object.count, x + x)", 2 + 1 + 1 + 1],
];

test("what expressions cost", () => {
  for (const [source, cost] of costs) {
    const compiled = compile(source, { variables: { object: types.dyn } });
    assert(compiled.kind === "compiled", source);
    assert.equal(compiled.program.evaluate({ object: () => celFromJson(object) }).cost, cost, source);
  }
});

test("an estimate is never below what an evaluation costs", () => {
  const type = types.object("Object", {
    name: { kind: "string", maxSize: 80 },
    tags: { kind: "list", element: { kind: "string", maxSize: 12 }, maxSize: 5 },
    count: types.int,
    nested: types.object("Object.nested", { on: types.bool }),
  });
  for (const [source] of costs) {
    const compiled = compile(source, { variables: { object: type } });
    assert(compiled.kind === "compiled", source);
    const { max } = compiled.program.estimateCost();
    const { cost } = compiled.program.evaluate({ object: () => celFromJson(object, type) });
    // A scalar of a schema counts as nothing when it is estimated: one unit for each comparison is what that can miss.
    assert(max + 1 >= cost, `${source}: ${max} estimated, ${cost} used`);
  }
});
