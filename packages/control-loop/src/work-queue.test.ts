import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "@skiff/base";
import { durationBounds } from "./queue-metrics.ts";
import { WorkQueue } from "./work-queue.ts";

function queue() {
  const clock = new VirtualClock();
  let ready = 0;
  const keys = new WorkQueue({ clock, onReady: () => ready++ });
  return { clock, keys, ready: () => ready };
}

test("a key waits once, in order, and is nobody else's while it is worked on", () => {
  const { keys, ready } = queue();
  for (const key of ["a", "b", "a"]) keys.add(key);
  assert.equal(ready(), 2);
  assert.equal(keys.take(), "a");
  keys.add("a");
  assert.equal(keys.take(), "b");
  assert.equal(keys.take(), undefined);
  keys.finish("b", { succeeded: true });
  assert.equal(keys.take(), undefined);
  keys.finish("a", { succeeded: true });
  assert.equal(keys.take(), "a");
  keys.finish("a", { succeeded: true });
  assert.equal(keys.take(), undefined);
});

test("failures wait 5 ms, 10 ms, … up to 1000 s; a success forgets them", async () => {
  const { clock, keys } = queue();
  const delays: number[] = [];
  const fail = async () => {
    keys.add("a");
    keys.take();
    keys.retry("a");
    keys.finish("a", { succeeded: false });
    delays.push((clock.nextDueMs() ?? 0) - clock.now());
    await clock.advance(1_000_000);
    assert.equal(keys.take(), "a");
    keys.finish("a", { succeeded: false });
  };
  for (let failure = 0; failure < 20; failure++) await fail();
  assert.deepEqual(delays.slice(0, 4), [5, 10, 20, 40]);
  assert.equal(delays.at(-1), 1_000_000);
  keys.add("a");
  keys.take();
  keys.finish("a", { succeeded: true });
  await fail();
  assert.equal(delays.at(-1), 5);
});

test("of two delays the earlier counts; none comes after disposal", async () => {
  const { clock, keys } = queue();
  keys.addAfter("a", 1000);
  keys.addAfter("a", 100);
  keys.addAfter("a", 500);
  await clock.advance(100);
  assert.equal(keys.take(), "a");
  keys.finish("a", { succeeded: true });
  await clock.advance(2000);
  assert.equal(keys.take(), undefined);
  keys.addAfter("b", 1);
  keys[Symbol.dispose]();
  await clock.advance(10);
  assert.equal(keys.take(), undefined);
});

test("a key that is put back is ready once, whatever was added meanwhile", () => {
  const { keys } = queue();
  keys.add("a");
  keys.take();
  keys.add("a");
  keys.release("a");
  assert.equal(keys.take(), "a");
  keys.finish("a", { succeeded: true });
  assert.equal(keys.take(), undefined);
});

test("a key rests after work, however often it is added meanwhile", async () => {
  const clock = new VirtualClock();
  const keys = new WorkQueue({ clock, onReady: () => {}, restMs: 50 });
  keys.add("a");
  assert.equal(keys.take(), "a");
  keys.finish("a", { succeeded: true });
  for (let change = 0; change < 9; change++) keys.add("a");
  await clock.advance(49);
  assert.equal(keys.take(), undefined);
  await clock.advance(1);
  assert.equal(keys.take(), "a");
  keys.finish("a", { succeeded: true });
  await clock.advance(50);
  assert.equal(keys.take(), undefined);
  keys.add("a");
  assert.equal(keys.take(), "a");
});

test("a queue tells how long keys wait, how long work takes, and what goes on", async () => {
  const clock = new VirtualClock();
  const keys = new WorkQueue({ clock, onReady: () => {} });
  keys.add("a");
  keys.add("a");
  await clock.advance(50);
  keys.take();
  await clock.advance(2000);
  keys.add("b");
  keys.take();
  await clock.advance(500);
  const going = keys.stats();
  assert.deepEqual([going.adds, going.unfinishedSeconds, going.longestSeconds], [2, 3, 2.5]);
  keys.retry("b");
  keys.finish("b", { succeeded: false });
  keys.finish("a", { succeeded: true });
  const { waited, worked, retries, longestSeconds } = keys.stats();
  const bucket = (seconds: number) => durationBounds.findIndex((bound) => seconds <= bound);
  assert.deepEqual([waited.sumSeconds, worked.sumSeconds, retries, longestSeconds], [0.05, 3, 1, 0]);
  assert.deepEqual([waited.counts[bucket(0.05)], worked.counts[bucket(2.5)], worked.counts[bucket(0.5)]], [1, 1, 1]);
  keys[Symbol.dispose]();
});
