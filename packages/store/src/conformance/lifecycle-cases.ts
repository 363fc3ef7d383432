import assert from "node:assert/strict";
import { silentLogger } from "@skiff/base";
import { compactPeriodically } from "../compact-periodically.ts";
import { StoreClosedError } from "../store.ts";
import { type DeclareCase, everything, put, record, until, write } from "./fixture.ts";

export function lifecycleCases(test: DeclareCase): void {
  test("finishes what was accepted when it is closed, and takes nothing after", async ({ store }) => {
    const accepted = Array.from({ length: 20 }, (_, index) => write(store, put(`k${index}`, "1")));
    const closing = store[Symbol.asyncDispose]();
    await assert.rejects(write(store, put("late", "1")), StoreClosedError);
    assert.deepEqual(
      (await Promise.all(accepted)).toSorted((a, b) => a - b),
      Array.from({ length: 20 }, (_, index) => index + 2),
    );
    await closing;
    await assert.rejects(async () => await store.get("k0"), StoreClosedError);
    assert.throws(() => record(store, 1), StoreClosedError);
    await assert.rejects(store.range(everything), StoreClosedError);
    await assert.rejects(store.compact(2), StoreClosedError);
    await assert.rejects(store.grantLease(1), StoreClosedError);
    await assert.rejects(store.keepLeaseAlive(1), StoreClosedError);
    await assert.rejects(store.revokeLease(1), StoreClosedError);
    await store[Symbol.asyncDispose]();
  });

  test("is compacted every interval to where it was an interval before", async ({ store, clock }) => {
    const stop = new AbortController();
    const compacting = compactPeriodically(store, {
      clock,
      logger: silentLogger,
      intervalMs: 300_000,
      signal: stop.signal,
    });
    await write(store, put("a", "1"));
    await write(store, put("a", "2"));
    await clock.advance(300_000);
    assert.equal(store.compactedRevision, 1);
    await write(store, put("a", "3"));
    await clock.advance(300_000);
    await until(() => store.compactedRevision === 3);
    await clock.advance(300_000);
    await until(() => store.compactedRevision === 4);
    stop.abort();
    await compacting;
    await clock.advance(900_000);
    assert.equal(store.compactedRevision, 4);
  });
}
