import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { it } from "node:test";
import { resolvedOrAborted } from "./abort.ts";

it("waits for a promise or for the signal, and leaves nothing at the signal", async () => {
  const stop = new AbortController();
  for (let turn = 0; turn < 3; turn++) await resolvedOrAborted(Promise.resolve(), stop.signal);
  await resolvedOrAborted(Promise.reject(new Error("no")), stop.signal);
  assert.equal(getEventListeners(stop.signal, "abort").length, 0);
  const waiting = resolvedOrAborted(new Promise(() => {}), stop.signal);
  assert.equal(getEventListeners(stop.signal, "abort").length, 1);
  stop.abort();
  await waiting;
  await resolvedOrAborted(new Promise(() => {}), stop.signal);
});
