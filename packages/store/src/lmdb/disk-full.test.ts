import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "node:test";
import { silentLogger, VirtualClock } from "@skiff/base";
import { everything, put, record, remove, write } from "../conformance/fixture.ts";
import { type EmbeddedStore, ReadOnlyError } from "../store.ts";
import { openLmdbStore } from "./open.ts";

const big = "x".repeat(50_000);

const openAt = (folder: string): Promise<EmbeddedStore> =>
  openLmdbStore({ folder, clock: new VirtualClock(), logger: silentLogger });

/** Writes, three at a time and then singly, until nothing more fits; gives how many keys were acknowledged. */
async function fill(store: EmbeddedStore, prefix: string): Promise<number> {
  let acknowledged = 0;
  for (let together = 3, index = 0; ; index++) {
    assert.ok(index < 1000, "the disk never became full");
    const keys = Array.from({ length: together }, (_, part) => `${prefix}${index}/${part}`);
    const results = await Promise.allSettled(keys.map((key) => write(store, put(key, big))));
    for (const result of results) {
      if (result.status === "fulfilled") acknowledged++;
      else assert.ok(result.reason instanceof ReadOnlyError && /disk is full/.test(result.reason.message));
    }
    if (results.every(({ status }) => status === "fulfilled")) continue;
    if (together === 1) return acknowledged;
    together = 1;
  }
}

/** What must hold while nothing can be written. */
async function checkReadOnly(store: EmbeddedStore, keys: number): Promise<void> {
  const { revision } = store;
  assert.equal(revision, keys + 1);
  assert.equal((await store.range(everything)).count, keys);
  assert.equal(store.get("k0/0")?.value.length, big.length);
  const recorder = record(store, 2);
  await assert.rejects(write(store, put("more", big)), ReadOnlyError);
  // A call that needs no write is answered as ever, even in the company of one that does.
  const [refused, conflict] = await Promise.allSettled([
    write(store, put("more", big)),
    store.commit({ compare: [{ key: "more", modRevision: 7 }], operations: [put("more", "1")] }),
  ]);
  assert.equal(refused.status, "rejected");
  assert.deepEqual(conflict, { status: "fulfilled", value: { kind: "conflict", revision, current: [] } });
  assert.equal(store.revision, revision);
  assert.equal(store.get("more"), undefined);
  assert.equal(recorder.batches.length, keys);
}

it("is read-only on a full disk, loses nothing, and writes again when there is room", {
  skip: process.getuid?.() !== 0,
}, async () => {
  const mount = await mkdtemp(join(tmpdir(), "skiff-full-"));
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=12m", "skiff-full", mount]);
  try {
    const ballast = join(mount, "ballast");
    await writeFile(ballast, Buffer.alloc(1 << 20));
    const folder = join(mount, "store");
    let revision: number;
    {
      await using store = await openAt(folder);
      const keys = await fill(store, "k");
      assert.ok(keys > 10);
      await checkReadOnly(store, keys);
      // What makes room still works.
      assert.equal(await write(store, remove("k0/1")), keys + 2);
      await store.compact(keys + 2);
      await assert.rejects(write(store, put("more", big)), ReadOnlyError);
      await rm(ballast);
      assert.equal(await write(store, put("again", big)), keys + 3);
      revision = keys + 3 + (await fill(store, "l"));
      assert.equal(store.revision, revision);
    }
    await using store = await openAt(folder);
    assert.deepEqual([store.revision, store.get("again")?.value.length], [revision, big.length]);
    assert.equal((await store.range(everything)).count, revision - 3);
  } finally {
    execFileSync("umount", [mount]);
    await rm(mount, { recursive: true, force: true });
  }
});

it("takes back the room of what is forgotten", async () => {
  const folder = await mkdtemp(join(tmpdir(), "skiff-store-"));
  try {
    await using store = await openAt(folder);
    for (let index = 0; index < 1500; index++) {
      const revision = await write(store, put(`k${index % 5}`, big));
      if (index % 20 === 0) await store.compact(revision);
    }
    // 75 MB were written.
    assert.equal(store.revision, 1501);
    assert.ok((await stat(join(folder, "data.mdb"))).size < 8e6);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
