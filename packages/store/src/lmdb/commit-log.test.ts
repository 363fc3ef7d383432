import assert from "node:assert/strict";
import { copyFile, cp, mkdtemp, open, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { silentLogger, VirtualClock } from "@skiff/base";
import { everything, put, record, remove, showBatch, until, write } from "../conformance/fixture.ts";
import { CorruptStoreError, type EmbeddedStore } from "../store.ts";
import { openLmdbStore } from "./open.ts";

const openAt = (folder: string) => openLmdbStore({ folder, clock: new VirtualClock(), logger: silentLogger });

async function inFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "skiff-store-"));
  try {
    await run(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The folder as it would be found if the process were killed now. */
async function killedCopy(folder: string, copy: string): Promise<void> {
  await cp(folder, copy, { recursive: true });
  for (const name of ["lock", "data.mdb-lock"]) await rm(join(copy, name), { force: true });
}

async function content(store: EmbeddedStore): Promise<unknown> {
  const all = await store.range(everything);
  const recorder = record(store, store.compactedRevision);
  await until(() => recorder.watch.deliveredRevision === store.revision);
  return [
    store.revision,
    all.entries.map((entry) => [entry.key, entry.modRevision, entry.version]),
    recorder.batches.map(showBatch),
  ];
}

describe("what only the log holds", () => {
  it("is found again: writes, deletions, leases, compaction", () =>
    inFolder(async (folder) => {
      await using store = await openAt(join(folder, "store"));
      const lease = await store.grantLease(5_000);
      const ended = await store.grantLease(5_000);
      await write(store, put("a", "1"), put("b", "1", lease.id), put("c", "1", ended.id));
      await write(store, remove("a"), put("d", "ä".repeat(900)));
      await store.revokeLease(ended.id);
      await store.compact(3);
      await killedCopy(join(folder, "store"), join(folder, "copy"));
      const clock = new VirtualClock();
      await using copy = await openLmdbStore({ folder: join(folder, "copy"), clock, logger: silentLogger });
      assert.deepEqual(await content(copy), await content(store));
      assert.equal(copy.compactedRevision, 3);
      assert.notEqual((await copy.grantLease(1_000)).id, ended.id);
      await clock.advance(5_000);
      await until(() => copy.get("b") === undefined);
    }));

  it("is found again after both files were used many times, and with what was too large for them", () =>
    inFolder(async (folder) => {
      await using store = await openAt(join(folder, "store"));
      for (let turn = 0; turn < 12; turn++) {
        await Promise.all(
          Array.from({ length: 40 }, (_, index) => write(store, put(`k${index % 7}`, `${turn}`.repeat(20_000)))),
        );
        if (turn === 5) await write(store, put("huge", "x".repeat(5_000_000)));
        if (turn % 4 !== 3) continue;
        await killedCopy(join(folder, "store"), join(folder, `copy${turn}`));
        await using copy = await openAt(join(folder, `copy${turn}`));
        assert.deepEqual(await content(copy), await content(store));
      }
    }));

  it("is read without a seam behind what the tables hold", () =>
    inFolder(async (folder) => {
      await using store = await openAt(folder);
      const expected: number[] = [];
      for (let turn = 0; turn < 3000; turn++)
        expected.push(await write(store, put(`k${turn % 50}`, "x".repeat(turn % 3000))));
      const recorder = record(store, 2);
      await until(() => recorder.watch.deliveredRevision === store.revision);
      assert.deepEqual(
        recorder.batches.map(({ revision }) => revision),
        expected,
      );
      const past = await store.range(everything, { revision: 1501 });
      assert.deepEqual([past.count, past.entries.every(({ modRevision }) => modRevision <= 1501)], [50, true]);
    }));
});

describe("a damaged log", () => {
  /** A folder whose log holds three entries beyond the tables, the second at block 1. */
  async function threeEntries(folder: string): Promise<string> {
    const copy = join(folder, "copy");
    await using store = await openAt(join(folder, "store"));
    for (const value of ["first", "second", "third"]) await write(store, put("k", value));
    await killedCopy(join(folder, "store"), copy);
    return copy;
  }

  async function overwrite(file: string, text: string, by: string): Promise<void> {
    const at = (await readFile(file)).indexOf(text);
    assert.notEqual(at, -1);
    await using handle = await open(file, "r+");
    await handle.write(Buffer.from(by), 0, by.length, at);
  }

  it("loses only an entry at the very end, which was not acknowledged", () =>
    inFolder(async (folder) => {
      const copy = await threeEntries(folder);
      await overwrite(join(copy, "log-0"), "third", "T");
      await using store = await openAt(copy);
      assert.deepEqual([store.revision, Buffer.from(store.get("k")?.value ?? []).toString()], [3, "second"]);
      assert.equal(await write(store, put("k", "again")), 4);
    }));

  it("is refused when entries follow the damaged one", () =>
    inFolder(async (folder) => {
      const copy = await threeEntries(folder);
      await overwrite(join(copy, "log-0"), "second", "S");
      await assert.rejects(
        openAt(copy),
        (error) => error instanceof CorruptStoreError && /entry 2 is missing/.test(error.message),
      );
    }));

  it("is refused beside another store's tables", () =>
    inFolder(async (folder) => {
      const copy = await threeEntries(folder);
      {
        await using other = await openAt(join(folder, "other"));
        await write(other, put("k", "other"));
        await other.snapshot(join(folder, "snapshot"));
      }
      await copyFile(join(folder, "snapshot", "data.mdb"), join(copy, "data.mdb"));
      await assert.rejects(openAt(copy), CorruptStoreError);
    }));
});
