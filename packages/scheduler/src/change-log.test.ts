import assert from "node:assert/strict";
import { test } from "node:test";
import { ChangeLog } from "./change-log.ts";

test("who has missed few changes is told of them, who has missed many looks at everything again", () => {
  const log = new ChangeLog();
  const since = (head: number) => {
    const slots: number[] = [];
    return log.visitSince(head, (slot) => slots.push(slot)) ? slots : "too many";
  };
  for (const slot of [3, 1, 3]) log.note(slot);
  assert.deepEqual(since(0), [3, 1, 3]);
  assert.deepEqual(since(2), [3]);
  assert.deepEqual(since(log.head), []);
  const before = log.head;
  for (let slot = 0; slot < 8_192; slot++) log.note(slot);
  const all = since(before);
  assert.ok(typeof all !== "string");
  assert.deepEqual([all.length, all[0], all.at(-1)], [8_192, 0, 8_191]);
  log.note(7);
  assert.equal(since(before), "too many");
  assert.deepEqual(since(log.head - 1), [7]);
});
