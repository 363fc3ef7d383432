import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { silentLogger, VirtualClock } from "@skiff/base";
import { compactPeriodically } from "../compact-periodically.ts";
import { openLmdbStore } from "../lmdb/open.ts";
import { CompactedError, InvalidRequestError, StoreClosedError } from "../store.ts";
import { declareCase, everything, type OpenStore, put, record, remove, show, until, write } from "./fixture.ts";

export function lifecycleCases(open: OpenStore): void {
  const test = declareCase(open);

  test("finishes what was accepted when it is closed, and takes nothing after", async ({ store }) => {
    const accepted = Array.from({ length: 20 }, (_, index) => write(store, put(`k${index}`, "1")));
    const closing = store[Symbol.asyncDispose]();
    await assert.rejects(write(store, put("late", "1")), StoreClosedError);
    assert.deepEqual(
      await Promise.all(accepted),
      Array.from({ length: 20 }, (_, index) => index + 2),
    );
    await closing;
    assert.throws(() => store.get("k0"), StoreClosedError);
    assert.throws(() => record(store, 1), StoreClosedError);
    await assert.rejects(store.range(everything), StoreClosedError);
    await assert.rejects(store.compact(2), StoreClosedError);
    await assert.rejects(store.grantLease(1), StoreClosedError);
    await assert.rejects(store.keepLeaseAlive(1), StoreClosedError);
    await assert.rejects(store.revokeLease(1), StoreClosedError);
    await assert.rejects(store.snapshot("/nowhere"), StoreClosedError);
    await store[Symbol.asyncDispose]();
  });

  test("writes a snapshot that opens as the same store, history and leases included", async ({ store, folder }) => {
    const lease = await store.grantLease(5_000);
    await write(store, put("a", "1"), put("b", "1"), put("old", "1", lease.id));
    await write(store, put("a", "2"), remove("b"));
    await store.compact(3);
    await write(store, put("a", "3"), put("leased", "1", lease.id));
    await write(store, put("b", "4"));
    const before = record(store, 3);
    await until(() => before.batches.length === 3);
    const history = before.lines();
    await store.snapshot(folder);
    await write(store, put("after", "1"));

    const clock = new VirtualClock();
    await using copy = await openLmdbStore({ folder, clock, logger: silentLogger });
    assert.deepEqual([copy.revision, copy.compactedRevision], [5, 3]);
    const expected = await store.range(everything, { revision: 5 });
    assert.deepEqual((await copy.range(everything)).entries.map(show), expected.entries.map(show));
    assert.deepEqual((await copy.range(everything, { revision: 3 })).entries.map(show), ["a=2@3", "old=1@2"]);
    await assert.rejects(copy.range(everything, { revision: 2 }), CompactedError);
    const again = record(copy, 3);
    await until(() => again.batches.length === 3);
    assert.deepEqual(again.lines(), history);
    await clock.advance(5_000);
    await until(() => copy.revision === 6);
    assert.deepEqual((await copy.range(everything)).entries.map(show), ["a=3@4", "b=4@5"]);
    assert.ok((await copy.grantLease(1_000)).id > lease.id);
  });

  test("does not write a snapshot over anything", async ({ store, folder }) => {
    await mkdir(folder);
    await writeFile(join(folder, "precious"), "");
    await assert.rejects(store.snapshot(folder), InvalidRequestError);
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
