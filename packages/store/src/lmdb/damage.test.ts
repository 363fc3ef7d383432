import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";

import { mkdtemp, open, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { silentLogger, VirtualClock } from "@skiff/base";
import { open as openLmdb } from "lmdb";
import { everything, put, until, write } from "../conformance/fixture.ts";
import { CorruptStoreError, StoreLockedError } from "../store.ts";
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

/** A store of some hundred pages, closed. */
async function makeStore(folder: string): Promise<string> {
  await using store = await openAt(folder);
  for (let index = 0; index < 40; index++) {
    await Promise.all(
      Array.from({ length: 10 }, (_, part) => write(store, put(`k${index}/${part}`, "x".repeat(index * 200)))),
    );
  }
  return join(folder, "data.mdb");
}

async function overwrite(file: string, position: number, content: Uint8Array): Promise<void> {
  await using handle = await open(file, "r+");
  await handle.write(content, 0, content.length, position);
}

describe("files that are not an undamaged store", () => {
  const cases: readonly [string, RegExp, (file: string) => Promise<void>][] = [
    ["empty", /too short/, (file) => truncate(file, 0)],
    ["a few bytes", /too short/, (file) => truncate(file, 100)],
    ["cut to its first pages", /cut short/, (file) => truncate(file, 3 * 4096)],
    ["cut in half", /cut short/, async (file) => truncate(file, (await readFile(file)).length >> 1)],
    ["text", /not an LMDB file/, (file) => writeFile(file, "not a database\n".repeat(10_000))],
    ["random bytes", /not an LMDB file/, (file) => writeFile(file, randomBytes(1 << 20))],
    ["zeros", /not an LMDB file/, (file) => writeFile(file, Buffer.alloc(1 << 20))],
    [
      "zeros from the third page on",
      /damaged/,
      async (file) => {
        await overwrite(file, 2 * 4096, Buffer.alloc((await readFile(file)).length - 2 * 4096));
      },
    ],
    [
      "random bytes from the third page on",
      /damaged/,
      async (file) => {
        await overwrite(file, 2 * 4096, randomBytes((await readFile(file)).length - 2 * 4096));
      },
    ],
    [
      "somebody else's LMDB file",
      /no table live/,
      async (file) => {
        await rm(file);
        const foreign = openLmdb<string, string>({ path: file, noSubdir: true });
        await foreign.put("hello", "world");
        await foreign.close();
      },
    ],
    [
      "a store of another format",
      /format is skiff-store 99/,
      async (file) => {
        const other = openLmdb<Buffer, Buffer>({
          path: file,
          noSubdir: true,
          encoding: "binary",
          keyEncoding: "binary",
        });
        const meta = other.openDB<Buffer, Buffer>({ name: "meta", encoding: "binary", keyEncoding: "binary" });
        await meta.put(Buffer.from("format"), Buffer.from("skiff-store 99"));
        await other.close();
      },
    ],
  ];
  for (const [name, message, damage] of cases) {
    it(`${name}: refused and left alone`, () =>
      inFolder(async (folder) => {
        const file = await makeStore(folder);
        await damage(file);
        await rm(`${file}-lock`, { force: true });
        const before = [await readFile(file), await readdir(folder)];
        await assert.rejects(openAt(folder), (error) => {
          assert.ok(error instanceof CorruptStoreError, String(error));
          assert.match(error.message, message);
          assert.ok(error.message.includes(file));
          return true;
        });
        assert.deepEqual([await readFile(file), await readdir(folder)], before);
      }));
  }

  it("a folder that was never opened gets nothing put into it", () =>
    inFolder(async (folder) => {
      await writeFile(join(folder, "data.mdb"), "something else");
      await assert.rejects(openAt(folder), CorruptStoreError);
      assert.deepEqual(await readdir(folder), ["data.mdb"]);
    }));

  it("a damaged value is not handed out", () =>
    inFolder(async (folder) => {
      const file = await makeStore(folder);
      {
        await using store = await openAt(folder);
        await write(store, put("needle", "a needle in a haystack"));
      }
      const at = (await readFile(file)).indexOf("a needle in a haystack");
      await overwrite(file, at, Buffer.from("A"));
      await using store = await openAt(folder);
      assert.equal(store.get("k1/0")?.value.length, 200);
      assert.throws(() => store.get("needle"), CorruptStoreError);
      await assert.rejects(store.range(everything), CorruptStoreError);
    }));
});

describe("opening", () => {
  it("finds everything again", () =>
    inFolder(async (folder) => {
      await makeStore(folder);
      await using store = await openAt(folder);
      assert.deepEqual([store.revision, (await store.range(everything)).count], [401, 400]);
    }));

  it("survives a first start that was cut off", () =>
    inFolder(async (folder) => {
      await writeFile(join(folder, "data.mdb.draft"), "half");
      await writeFile(join(folder, "data.mdb.draft-lock"), "half");
      await using store = await openAt(folder);
      assert.equal(store.revision, 1);
      assert.deepEqual(
        (await readdir(folder)).filter((name) => name.includes("draft")),
        [],
      );
    }));

  it("is refused while the store is open, here or in another process", () =>
    inFolder(async (folder) => {
      {
        await using _store = await openAt(folder);
        await assert.rejects(openAt(folder), StoreLockedError);
        const script = `
          import { openLmdbStore } from ${JSON.stringify(join(import.meta.dirname, "open.ts"))};
          import { silentLogger, systemClock } from "@skiff/base";
          await openLmdbStore({ folder: ${JSON.stringify(folder)}, clock: systemClock, logger: silentLogger })
            .catch((error) => process.stdout.write(error.code));`;
        const arguments_ = ["--input-type=module-typescript", "--eval", script];
        const child = spawnSync(process.execPath, arguments_, { cwd: import.meta.dirname, encoding: "utf8" });
        assert.equal(child.stdout, "LOCKED", child.stderr);
      }
      await using again = await openAt(folder);
      assert.equal(again.revision, 1);
    }));

  it("gives leases their whole time anew, and continues collecting garbage", () =>
    inFolder(async (folder) => {
      {
        await using store = await openAt(folder);
        const lease = await store.grantLease(1_000);
        await write(store, put("leased", "1", lease.id));
        for (let index = 0; index < 2000; index++) void write(store, put("k", `${index}`));
        await write(store, put("k", "last"));
        await store.compact(store.revision);
      }
      const clock = new VirtualClock();
      await using store = await openLmdbStore({ folder, clock, logger: silentLogger });
      await clock.advance(999);
      assert.notEqual(store.get("leased"), undefined);
      await clock.advance(1);
      await until(() => store.get("leased") === undefined);
    }));
});
