import assert from "node:assert/strict";
import { mkdtemp, open, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "node:test";
import { silentLogger, VirtualClock } from "@skiff/base";
import { everything, put, remove, show, write } from "../conformance/fixture.ts";
import { CorruptStoreError, type EmbeddedStore, prefixRange } from "../store.ts";
import { openLmdbStore } from "./open.ts";
import { decodeNumber } from "./records.ts";
import { metaKeys, openTables } from "./tables.ts";

const openAt = (folder: string) => openLmdbStore({ folder, clock: new VirtualClock(), logger: silentLogger });

async function inFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "skiff-store-"));
  try {
    await run(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Changes keys in all ways: new, written again, deleted, new once more; as many revisions as asked for. */
async function change(store: EmbeddedStore, revisions: number): Promise<void> {
  const end = store.revision + revisions;
  for (let turn = 0; store.revision < end; turn++) {
    const key = (index: number) => `k/${(turn * 7 + index * 13) % 300}`;
    const writes = Array.from({ length: Math.min(200, end - store.revision) }, (_, index) =>
      write(store, put(key(index), `${turn} ${index}`)),
    );
    await Promise.all(writes);
    if (turn % 3 === 0 && store.revision < end) await write(store, remove(key(turn % 50)));
  }
}

async function content(store: EmbeddedStore): Promise<unknown> {
  const all = await store.range(everything);
  const some = await store.range(prefixRange("k/2"), { limit: 5 });
  return [store.revision, all.entries.map(show), all.count, some.entries.map(show), some.count];
}

/** A revision that a store which is not open notes about itself: 1 until it is written. */
async function notedRevision(folder: string, key: Buffer): Promise<number> {
  const tables = openTables(join(folder, "data.mdb"));
  try {
    const noted = tables.meta.get(key);
    return noted === undefined ? 1 : decodeNumber(noted);
  } finally {
    await tables.root.close();
  }
}

// A copy is as the disk would be if the process ended now; closing brings the table up to date first.
const cases: readonly [revisions: number, least: number, most: number][] = [
  [1, 1, 1],
  [2000, 1, 1],
  [9000, 9000 - 2048, 9000],
];
for (const [revisions, least, most] of cases) {
  it(`finds everything again after ${revisions} revisions, repeating few of them`, () =>
    inFolder(async (folder) => {
      const copy = join(folder, "copy");
      let expected: unknown;
      {
        await using store = await openAt(join(folder, "original"));
        // Where writes outrun the disk, the table is written with the first that follows.
        await change(store, revisions - 1);
        await store.snapshot(join(folder, "earlier"));
        await change(store, 1);
        await store.snapshot(copy);
        expected = await content(store);
      }
      const indexed = await notedRevision(copy, metaKeys.indexed);
      assert.ok(indexed >= least && indexed <= most, `as of ${indexed}`);
      {
        await using store = await openAt(copy);
        assert.deepEqual(await content(store), expected);
        assert.equal(await notedRevision(join(folder, "original"), metaKeys.indexed), revisions + 1);
      }
      await using again = await openAt(copy);
      assert.deepEqual(await content(again), expected);
    }));
}

it("forgets no deletion when history is compacted before the table is written", () =>
  inFolder(async (folder) => {
    const copy = join(folder, "copy");
    {
      await using store = await openAt(join(folder, "original"));
      await write(store, put("gone", "1"));
      await write(store, put("kept", "1"));
    }
    {
      await using store = await openAt(join(folder, "original"));
      await write(store, remove("gone"));
      await write(store, put("kept", "2"));
      await store.compact(store.revision);
      // The removal of old revisions comes some time after.
      for (let collected = 1; collected < 5; collected = await notedRevision(copy, metaKeys.collected)) {
        await rm(copy, { recursive: true, force: true });
        await store.snapshot(copy);
      }
    }
    await using store = await openAt(copy);
    assert.equal(store.get("gone"), undefined);
    assert.equal((await store.range(everything)).count, 1);
  }));

it("opens with a damaged record that is newer than the table, and does not hand it out", () =>
  inFolder(async (folder) => {
    const copy = join(folder, "copy");
    {
      await using store = await openAt(join(folder, "original"));
      await write(store, put("fine", "1"));
      await write(store, put("needle", "a needle in a haystack"));
      await store.snapshot(copy);
    }
    const file = join(copy, "data.mdb");
    const at = (await readFile(file)).indexOf("a needle in a haystack");
    {
      await using handle = await open(file, "r+");
      await handle.write(Buffer.from("A"), 0, 1, at);
    }
    await using store = await openAt(copy);
    assert.notEqual(store.get("fine"), undefined);
    assert.throws(() => store.get("needle"), CorruptStoreError);
    await assert.rejects(store.range(everything), CorruptStoreError);
  }));
