import assert from "node:assert/strict";
import { test } from "node:test";
import { scaledValue } from "./int-or-string.ts";

test("numbers and percentages", () => {
  assert.equal(scaledValue(3, 100, "up"), 3);
  assert.equal(scaledValue("25%", 10, "up"), 3);
  assert.equal(scaledValue("25%", 10, "down"), 2);
  assert.equal(scaledValue("100%", 7, "down"), 7);
  assert.equal(scaledValue("0%", 7, "up"), 0);
  assert.throws(() => scaledValue("3", 10, "up"), /string is not a percentage/);
  assert.throws(() => scaledValue("x%", 10, "up"), /invalid value for IntOrString/);
});
