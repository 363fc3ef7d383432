import assert from "node:assert/strict";
import { test } from "node:test";
import { Mailbox } from "./mailbox.ts";

test("what was put is taken in order, a full box refuses, and the end comes after what is left", async () => {
  const box = new Mailbox<number>(2);
  const { signal } = new AbortController();
  const waiting = box.take(signal);
  box.put(1);
  assert.deepEqual(await waiting, [1]);
  assert.ok(box.offer(2) && box.offer(3));
  assert.equal(box.offer(4), false);
  assert.throws(() => box.put(4), { code: "MAILBOX_FULL" });
  box.close();
  assert.deepEqual(await box.take(signal), [2, 3]);
  assert.equal(await box.take(signal), undefined);
});

test("a box that was closed with an error hands it on, and an aborted taker stops waiting", async () => {
  const broken = new Mailbox<number>(1);
  broken.close(new Error("producer died"));
  await assert.rejects(broken.take(new AbortController().signal), /producer died/);
  const abort = new AbortController();
  const waiting = new Mailbox<number>(1).take(abort.signal);
  abort.abort(new Error("gave up"));
  await assert.rejects(waiting, /gave up/);
});
