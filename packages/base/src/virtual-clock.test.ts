import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "./virtual-clock.ts";

test("timers fire in order of their due time, and what they set is seen on the way", async () => {
  const clock = new VirtualClock(0);
  const seen: string[] = [];
  clock.after(20, () => seen.push(`b@${clock.now()}`));
  clock.after(10, () => {
    seen.push(`a@${clock.now()}`);
    clock.after(5, () => seen.push(`c@${clock.now()}`));
  });
  clock.after(15, () => seen.push("cancelled")).cancel();
  await clock.advance(100);
  assert.deepEqual(seen, ["a@10", "c@15", "b@20"]);
  assert.equal(clock.now(), 100);
});

test("sleeping ends with the signal, and waiting for what never comes says so", async () => {
  const clock = new VirtualClock(0);
  const abort = new AbortController();
  const sleeping = clock.sleep(1000, abort.signal);
  abort.abort(new Error("enough"));
  await assert.rejects(sleeping, /enough/);
  await assert.rejects(
    clock.advanceUntil(() => false, 50),
    /does not hold/,
  );
});
