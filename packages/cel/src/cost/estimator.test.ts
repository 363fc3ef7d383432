import assert from "node:assert/strict";
import { test } from "node:test";
import type { JsonObject } from "@skiff/base";
import { compile } from "../compile.ts";
import { typeOfJsonSchema } from "../types/schema-types.ts";
import { most } from "./range.ts";

const schema: JsonObject = {
  type: "object",
  properties: {
    name: { type: "string", maxLength: 10 },
    free: { type: "string" },
    count: { type: "integer" },
    few: { type: "array", maxItems: 5, items: { type: "string", maxLength: 20 } },
    many: { type: "array", items: { type: "integer" } },
    labels: { type: "object", maxProperties: 4, additionalProperties: { type: "string", maxLength: 8 } },
  },
};

/** Worst costs by hand: 1 a name or field, 10 a list, a tenth of a unit for each code point that is walked over. */
const cases: readonly [string, number][] = [
  ["self.count > 1", 3],
  ["self.name == 'abc'", 3],
  ["self.name.startsWith('abc')", 3],
  ["self.free.matches('^a+$')", 2 + Math.ceil((3 * 1024 * 1024 - 2 + 1) / 10) * 1],
  ["self.few.all(x, x != '')", 2 + 1 + 5 * (1 + 1 + 1 + 1 + 0)],
  ["has(self.name)", 1],
  ["self.count > 1 && self.count < 3", 6],
  ["self.count > 1 ? self.name : 'x'", 5],
  ["[1, 2, 3].exists(x, x == 2)", 10 + 1 + 3 * (1 + 1 + 1 + 1 + 1 + 1)],
];

test("the most that an expression can cost", () => {
  const self = typeOfJsonSchema(schema, { name: "Self", resource: false });
  assert(self !== undefined);
  for (const [source, max] of cases) {
    const compiled = compile(source, { variables: { self } });
    assert(compiled.kind === "compiled", source);
    assert.equal(compiled.program.estimateCost().max, max, source);
  }
});

test("what nothing bounds costs without bounds, and nests", () => {
  const self = typeOfJsonSchema(schema, { name: "Self", resource: false });
  assert(self !== undefined);
  const costOf = (source: string): number => {
    const compiled = compile(source, { variables: { self, other: { kind: "dyn" } } });
    assert(compiled.kind === "compiled", source);
    return compiled.program.estimateCost().max;
  };
  assert(costOf("self.many.all(x, x > 0)") > 1_000_000);
  assert(costOf("self.many.all(x, self.many.all(y, x == y))") > 1_000_000_000_000);
  assert.equal(costOf("other.all(x, x)"), most);
});

/** Figures that Kubernetes is known to come to: with a limit of ten, and with none but the size of a request. */
const known: readonly [string, JsonObject, string, number, number][] = [
  ["items", { type: "array", items: { type: "number" } }, "self.all(x, true)", 4_718_591, 32],
  ["items", { type: "array", items: { type: "boolean" } }, "self.all(x, true)", 1_887_437, 32],
  ["items", { type: "array", items: { type: "string" } }, "self.all(x, true)", 3_145_727, 32],
  ["properties", { type: "object", additionalProperties: { type: "number" } }, "self.all(x, true)", 1_348_169, 32],
  ["length", { type: "string" }, "self.matches('x')", 314_574, 6],
  ["length", { type: "string" }, "self.contains('x')", 314_574, 5],
  ["length", { type: "string" }, "self.startsWith('x')", 2, 2],
];

test("estimates that Kubernetes refuses definitions by", () => {
  const limits: Readonly<Record<string, JsonObject>> = {
    items: { maxItems: 10 },
    properties: { maxProperties: 10 },
    length: { maxLength: 10 },
  };
  for (const [limit, unlimited, source, most, limited] of known) {
    const estimate = (given: JsonObject): number => {
      const self = typeOfJsonSchema(given, { name: "Self", resource: false });
      assert(self !== undefined);
      const compiled = compile(source, { variables: { self } });
      assert(compiled.kind === "compiled", source);
      return compiled.program.estimateCost().max;
    };
    const what = `${source} ${JSON.stringify(unlimited)}`;
    assert.equal(estimate(unlimited), most, what);
    assert.equal(estimate({ ...unlimited, ...limits[limit] }), limited, what);
  }
});
