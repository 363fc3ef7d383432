import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "node:test";
import { silentLogger, VirtualClock } from "@skiff/base";
import { everything, put, record, write } from "../conformance/fixture.ts";
import { type EmbeddedStore, ReadOnlyError } from "../store.ts";
import { openLmdbStore } from "./open.ts";

const big = "x".repeat(50_000);

const openAt = (folder: string): Promise<EmbeddedStore> =>
  openLmdbStore({ folder, clock: new VirtualClock(), logger: silentLogger });

/** Writes until nothing more fits; gives how many keys were acknowledged. */
async function fill(store: EmbeddedStore): Promise<number> {
  for (let index = 0; ; index++) {
    const results = await Promise.allSettled([0, 1, 2].map((part) => write(store, put(`k${index}/${part}`, big))));
    const failures = results.filter((result) => result.status === "rejected");
    for (const { reason } of failures)
      assert.ok(reason instanceof ReadOnlyError && /disk is full/.test(reason.message), String(reason));
    if (failures.length > 0) return index * 3 + 3 - failures.length;
    assert.ok(index < 1000, "the disk never became full");
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
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=4m", "skiff-full", mount]);
  try {
    const ballast = join(mount, "ballast");
    await writeFile(ballast, Buffer.alloc(1 << 20));
    const folder = join(mount, "store");
    let keys: number;
    {
      await using store = await openAt(folder);
      keys = await fill(store);
      assert.ok(keys > 10);
      await checkReadOnly(store, keys);
      await rm(ballast);
      assert.equal(await write(store, put("again", big)), keys + 2);
      keys += 1 + (await fill(store));
    }
    await using store = await openAt(folder);
    assert.equal(store.revision, keys + 1);
    assert.equal(store.get("again")?.modRevision !== undefined, true);
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
