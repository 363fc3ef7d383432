import assert from "node:assert/strict";
import { test } from "node:test";
import { timestamp } from "./clock.ts";

test("time stamps have whole seconds, cut off, whatever was asked before", () => {
  const cases: readonly (readonly [epochMs: number, text: string])[] = [
    [0, "1970-01-01T00:00:00Z"],
    [Date.UTC(2026, 0, 2, 3, 4, 5), "2026-01-02T03:04:05Z"],
    [Date.UTC(2026, 0, 2, 3, 4, 5, 999), "2026-01-02T03:04:05Z"],
    [Date.UTC(2026, 0, 2, 3, 4, 6), "2026-01-02T03:04:06Z"],
    [Date.UTC(2026, 0, 2, 3, 4, 5), "2026-01-02T03:04:05Z"],
    [-1, "1969-12-31T23:59:59Z"],
  ];
  for (const [epochMs, text] of cases) assert.equal(timestamp(epochMs), text);
  assert.throws(() => timestamp(Number.NaN), RangeError);
});
