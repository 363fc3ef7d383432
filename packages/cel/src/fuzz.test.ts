import assert from "node:assert/strict";
import { test } from "node:test";
import { type Random, randomInt, seededRandom } from "@skiff/base";
import { compile } from "./compile.ts";
import { costLimits } from "./program.ts";
import { types } from "./types/cel-type.ts";
import { celFromJson } from "./values/json.ts";

const object = {
  name: "web",
  count: 3,
  share: 0.5,
  on: true,
  nothing: null,
  tags: ["a", "b", "c", "😀"],
  labels: { a: "1", "b-c": "2" },
  nested: [{ name: "x", size: 1 }, { name: "y" }],
};

const leaves = [
  "object",
  "object.name",
  "object.count",
  "object.tags",
  "object.labels",
  "object.nested",
  "object.missing",
  "n",
  "s",
  "true",
  "false",
  "null",
  "0",
  "1",
  "-1",
  "9223372036854775807",
  "2u",
  "1.5",
  "1e308",
  "'a'",
  "'😀'",
  "b'\\xff'",
  "[]",
  "{}",
  "[1, 2]",
  "{'a': 1}",
  "duration('1h')",
  "timestamp('2024-01-01T00:00:00Z')",
  "optional.none()",
  "type(1)",
  "int",
  "ip('::1')",
  "quantity('1Gi')",
  "x",
  "y",
];
const binary = ["+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "&&", "||", "in"];
const methods = [
  "size()",
  "all(x, A)",
  "exists(x, A)",
  "map(x, A)",
  "filter(x, A)",
  "exists_one(x, A)",
  "all(x, y, A)",
  "transformList(x, y, A)",
  "transformMap(x, y, A)",
  "startsWith(A)",
  "contains(A)",
  "matches(A)",
  "split(A)",
  "join(A)",
  "replace(A, A)",
  "substring(A)",
  "format([A])",
  "sum()",
  "min()",
  "indexOf(A)",
  "orValue(A)",
  "optMap(x, A)",
  "name",
  "?name",
  "missing",
  "find(A)",
  "getHours()",
  "lowerAscii()",
  "reverse()",
  "charAt(A)",
  "isSorted()",
  "add(A)",
  "family()",
  "hasValue()",
  "value()",
];
const calls = [
  "size(A)",
  "string(A)",
  "int(A)",
  "double(A)",
  "bool(A)",
  "bytes(A)",
  "type(A)",
  "dyn(A)",
  "has(A.b)",
  "duration(A)",
  "timestamp(A)",
  "cel.bind(x, A, A)",
  "optional.of(A)",
  "url(A)",
  "ip(A)",
  "cidr(A)",
  "quantity(A)",
  "semver(A)",
  "sets.contains(A, A)",
  "math.greatest(A, A)",
  "A ? A : A",
  "[A, A]",
  "[?A]",
  "{A: A}",
  "{?A: A}",
  "A[A]",
  "A[?A]",
  "!A",
  "-A",
  "(A)",
  "dyn(A) + dyn(A)",
];

const pick = <T>(of: readonly T[], random: Random): T | undefined => of[randomInt(random, of.length)];

/** A source that is mostly sound, of a bounded depth. */
function source(random: Random, depth: number): string {
  const fill = (pattern: string): string => pattern.replace(/A/g, () => source(random, depth - 1));
  const dice = depth <= 0 ? 0 : random.next();
  if (dice < 0.25) return pick(leaves, random) ?? "1";
  if (dice < 0.5) return `${source(random, depth - 1)} ${pick(binary, random)} ${source(random, depth - 1)}`;
  if (dice < 0.75) return `${source(random, depth - 1)}.${fill(pick(methods, random) ?? "size()")}`;
  return fill(pick(calls, random) ?? "1");
}

/** A few characters changed: most of these are no expressions any more. */
function damaged(text: string, random: Random): string {
  const points = [...text];
  for (let count = 1 + randomInt(random, 4); count > 0; count--) {
    const at = randomInt(random, points.length + 1);
    const inserted = String.fromCodePoint(1 + randomInt(random, 0x2fff));
    points.splice(
      at,
      randomInt(random, 3),
      pick(["(", ")", "[", "'", '"', ".", "?", "\\", "`", "/", inserted, "0x", "e", "u"], random) ?? "",
    );
  }
  return points.join("");
}

const variables = { object: types.dyn, n: types.int, s: types.string };
const bindings = { object: () => celFromJson(object), n: 5n, s: "text" };

function tryOut(text: string): "value" | "failed" | "exceeded" | "refused" {
  const compiled = compile(text, { variables });
  if (compiled.kind === "failed") {
    assert.match(compiled.message, /^ERROR: <input>:/, text);
    return "refused";
  }
  const { min, max } = compiled.program.estimateCost();
  assert(min >= 0 && max >= 0, text);
  const evaluated = compiled.program.evaluate(bindings, { budget: 20_000 });
  if (evaluated.kind !== "value") assert.notEqual(evaluated.message, "", text);
  if (evaluated.kind !== "exceeded") assert(evaluated.cost <= 20_000, text);
  return evaluated.kind;
}

test("whatever the source, there is an answer, within the budget", () => {
  const random = seededRandom(20_260_101);
  const seen = new Map<string, number>();
  for (let count = 0; count < 6000; count++) {
    const sound = source(random, 4);
    const text = count % 3 === 0 ? damaged(sound, random) : sound;
    const outcome = tryOut(text);
    seen.set(outcome, (seen.get(outcome) ?? 0) + 1);
  }
  // The sources must reach every part: values, failures, refusals.
  for (const outcome of ["value", "failed", "refused"])
    assert((seen.get(outcome) ?? 0) > 100, JSON.stringify([...seen]));
});

test("nesting and length are bounded", () => {
  for (const text of [
    "(".repeat(10_000),
    "[".repeat(10_000),
    `${"(".repeat(300)}1${")".repeat(300)}`,
    "!".repeat(100_000),
    `1${" + 1".repeat(20_000)}`,
    `a${".b".repeat(20_000)}`,
    "-".repeat(99_999),
    `true${" && true".repeat(12_000)}`,
    "x".repeat(100_001),
    `${"true ? ".repeat(5000)}1`,
  ]) {
    const compiled = compile(text, { variables });
    if (compiled.kind === "compiled") compiled.program.evaluate(bindings);
    else assert.match(compiled.message, /^ERROR: <input>:/);
  }
});

test("an evaluation ends when its budget is used up", () => {
  const tens = "[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]";
  const deep = `${tens}.all(a, ${tens}.all(b, ${tens}.all(c, ${tens}.all(d, ${tens}.all(e, a + b + c + d + e > 0)))))`;
  const compiled = compile(deep, { variables: {} });
  assert(compiled.kind === "compiled");
  const evaluated = compiled.program.evaluate({});
  assert(evaluated.kind === "exceeded");
  assert.equal(evaluated.message, "operation cancelled: actual cost limit exceeded");
  assert(evaluated.cost > costLimits.expression && evaluated.cost < costLimits.expression + 1000);
});

test("work that cost does not count is bounded, too", () => {
  const leaf = Array.from({ length: 200_000 }, (_, index) => index);
  const big = { a: [[leaf]], b: [[[...leaf]]], text: "x".repeat(100_000) };
  const ten = "[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]";
  for (const source of [
    `${ten}.all(i, ${ten}.all(j, ${ten}.all(k, object.a == object.b)))`,
    `${ten}.all(i, ${ten}.all(j, ${ten}.all(k, size('%s'.format([object])) > 0)))`,
    "size(object.text.replace('x', object.text)) > 0",
    `size(${ten}.map(i, ${ten}.map(j, object.text).join('')).map(t, t.replace('', object.text)).join('')) > 0`,
  ]) {
    const compiled = compile(source, { variables });
    assert(compiled.kind === "compiled", source);
    assert.equal(compiled.program.evaluate({ object: () => celFromJson(big) }).kind, "exceeded", source);
  }
  const again = compile("object.a == object.b", { variables });
  assert(again.kind === "compiled");
  assert.equal(again.program.evaluate({ object: () => celFromJson(big) }).kind, "value");
});
