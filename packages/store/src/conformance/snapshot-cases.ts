import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { silentLogger, VirtualClock } from "@skiff/base";
import { openLmdbStore } from "../lmdb/open.ts";
import { CompactedError, type EmbeddedStore, InvalidRequestError, StoreClosedError } from "../store.ts";
import { type DeclareCase, everything, put, record, remove, show, until, write } from "./fixture.ts";

/** What embedded engines promise beyond what all do. */
export function snapshotCases(test: DeclareCase<EmbeddedStore>): void {
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

  test("takes no snapshot after it was closed", async ({ store }) => {
    await store[Symbol.asyncDispose]();
    await assert.rejects(store.snapshot("/nowhere"), StoreClosedError);
  });
}
