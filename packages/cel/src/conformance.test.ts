import assert from "node:assert/strict";
import { test } from "node:test";
import { tests as data } from "@bufbuild/cel-spec/testdata/conformance.js";
import { compile } from "./compile.ts";
import { celOf, isSame, type SpecificationTest, specificationTests } from "./fixtures/specification.ts";

/** Why a test fails, or `undefined` when it does not. */
function failure({ expr, variables, bindings, value, fails, checkOnly }: SpecificationTest): string | undefined {
  const compiled = compile(expr, { variables, mixedLiterals: true });
  if (compiled.kind === "failed") return fails ? undefined : compiled.message;
  if (checkOnly) return undefined;
  const evaluated = compiled.program.evaluate(bindings);
  if (fails) return evaluated.kind === "value" ? "it has a value, and should fail" : undefined;
  if (evaluated.kind !== "value") return evaluated.message;
  const expected = celOf(value ?? { boolValue: true });
  return isSame(evaluated.value, expected) ? undefined : `it is not ${JSON.stringify(value)}`;
}

test("the tests of the CEL specification", () => {
  // Kubernetes checks all its expressions: tests of what happens to unchecked ones say nothing here.
  const tests = specificationTests(data).filter(({ unchecked }) => !unchecked);
  assert(tests.length > 1400, `${tests.length} tests were read`);
  const failures = tests.flatMap((one) => {
    const why = failure(one);
    return why === undefined ? [] : [`${one.name}: ${one.expr}: ${why}`];
  });
  assert.deepEqual(failures, []);
});
