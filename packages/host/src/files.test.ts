import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { LockHeld, lockFile, writeFileAtomic } from "./files.ts";
import { systemProcesses } from "./processes.ts";

let folder = "";
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "skiff-files-"));
});
after(() => rm(folder, { recursive: true }));

describe("writing a file", () => {
  it("replaces it whole, with the mode asked for, and leaves nothing beside it", async () => {
    const path = join(folder, "deep", "config");
    await writeFileAtomic(path, "one", { mode: 0o644 });
    await writeFileAtomic(path, "two", { mode: 0o666 });
    assert.equal(await readFile(path, "utf8"), "two");
    assert.equal((await stat(path)).mode & 0o777, 0o666);
    assert.deepEqual(await readdir(join(folder, "deep")), ["config"]);
  });
});

describe("a lock file", () => {
  it("is held by one at a time", async () => {
    const path = join(folder, "lock");
    const first = await lockFile(path);
    await assert.rejects(lockFile(path), (error) => error instanceof LockHeld && error.holder.pid === process.pid);
    await first[Symbol.asyncDispose]();
    await using second = await lockFile(path);
    assert.equal(second.path, path);
  });

  it("does not stay with the dead: another start time, no such pid, nonsense", async () => {
    const path = join(folder, "stale");
    const own = systemProcesses.identify(process.pid);
    for (const left of [`${process.pid} ${(own?.startTicks ?? 0) + 1}\n`, "4194305 12\n", "nonsense", ""]) {
      await writeFile(path, left);
      await using lock = await lockFile(path);
      assert.equal(await readFile(lock.path, "utf8"), `${process.pid} ${own?.startTicks}\n`);
    }
  });

  it("goes with its lock where that is wanted, and keeps all but one out all the same", async () => {
    const path = join(folder, "passing");
    let inside = 0;
    let turns = 0;
    const take = async () => {
      for (;;) {
        try {
          await using _ = await lockFile(path, { passing: true });
          assert.equal(++inside, 1);
          await new Promise((resolve) => setImmediate(resolve));
          inside -= 1;
          turns += 1;
          return;
        } catch (error) {
          if (!(error instanceof LockHeld)) throw error;
        }
      }
    };
    await Promise.all(Array.from({ length: 12 }, take));
    assert.equal(turns, 12);
    await assert.rejects(stat(path), { code: "ENOENT" });
  });

  it("goes to exactly one of many who find it stale", async () => {
    const path = join(folder, "contested");
    await writeFile(path, "4194305 12\n");
    const tried = await Promise.allSettled(Array.from({ length: 10 }, () => lockFile(path)));
    assert.equal(tried.filter(({ status }) => status === "fulfilled").length, 1);
  });
});
