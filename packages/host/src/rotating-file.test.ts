import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { RotatingFile } from "./rotating-file.ts";

test("a full log is put aside, and old ones go", async () => {
  const folder = await mkdtemp(join(tmpdir(), "skiff-rotating-"));
  try {
    const path = join(folder, "audit.log");
    let now = Date.UTC(2026, 0, 2, 3, 4, 5, 678);
    const errors: unknown[] = [];
    const way = { now: () => now, onError: (error: unknown) => void errors.push(error) };
    const limits = { maxBytes: 20, maxBackups: 2, maxAgeMs: 60_000 };
    const write = async (...lines: string[]) => {
      await using file = await RotatingFile.open(path, limits, way);
      for (const line of lines) file.write(line);
    };
    await write("one", "two");
    await write("three", "a line that is longer than a file may be");
    assert.deepEqual(await readdir(folder), ["audit-2026-01-02T03-04-05.678.log", "audit.log"]);
    assert.equal(await readFile(join(folder, "audit-2026-01-02T03-04-05.678.log"), "utf8"), "one\ntwo\nthree\n");
    for (const name of ["four", "five", "six"]) {
      now += 1000;
      await write(`${name} ${"x".repeat(15)}`);
    }
    assert.deepEqual(await readdir(folder), [
      "audit-2026-01-02T03-04-07.678.log",
      "audit-2026-01-02T03-04-08.678.log",
      "audit.log",
    ]);
    now += 90_000;
    await write("x".repeat(20));
    assert.deepEqual(await readdir(folder), ["audit-2026-01-02T03-05-38.678.log", "audit.log"]);
    assert.deepEqual(errors, []);
  } finally {
    await rm(folder, { recursive: true });
  }
});
