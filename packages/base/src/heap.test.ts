import assert from "node:assert/strict";
import { test } from "node:test";
import { Heap } from "./heap.ts";
import { randomInt, seededRandom } from "./random.ts";

test("items come out in order, whatever the order they went in", () => {
  const random = seededRandom(7);
  const heap = new Heap<number>((a, b) => a - b);
  const items = Array.from({ length: 500 }, () => randomInt(random, 100));
  for (const item of items) heap.push(item);
  const out: number[] = [];
  for (let item = heap.pop(); item !== undefined; item = heap.pop()) out.push(item);
  assert.deepEqual(
    out,
    items.sort((a, b) => a - b),
  );
});
