import assert from "node:assert/strict";
import { test } from "node:test";
import { humanDuration, since } from "./human-duration.ts";

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

const cases: readonly (readonly [number, string])[] = [
  [-3 * second, "<invalid>"],
  [-1 * second, "0s"],
  [0, "0s"],
  [119 * second, "119s"],
  [2 * minute, "2m"],
  [3 * minute + 20 * second, "3m20s"],
  [10 * minute + 20 * second, "10m"],
  [179 * minute, "179m"],
  [3 * hour, "3h"],
  [7 * hour + 59 * minute, "7h59m"],
  [8 * hour + 59 * minute, "8h"],
  [47 * hour, "47h"],
  [2 * day + 3 * hour, "2d3h"],
  [8 * day + 3 * hour, "8d"],
  [729 * day, "729d"],
  [730 * day, "2y"],
  [(365 * 3 + 20) * day, "3y20d"],
  [365 * 8 * day + day, "8y"],
];

for (const [ms, text] of cases) test(`${ms} ms are ${text}`, () => assert.equal(humanDuration(ms), text));

test("a moment that never was", () => assert.equal(since(undefined, 0), "<unknown>"));
