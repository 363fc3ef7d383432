import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { removePath } from "./remove-path.ts";

test("a volume's directory goes with all in it, and nothing that links lead to", async () => {
  const folder = await mkdtemp("/tmp/skiff-remove-path-");
  const outside = await mkdtemp("/var/tmp/skiff-outside-");
  try {
    await mkdir(join(folder, "volume", "deep"), { recursive: true });
    await writeFile(join(outside, "kept"), "");
    await symlink(outside, join(folder, "volume", "link"));
    await symlink(outside, join(folder, "way"));
    await removePath(join(folder, "volume"));
    await assert.rejects(removePath(join(folder, "way", "kept")), /is not below \/tmp/);
    await removePath(join(folder, "was", "never", "there"));
    assert.deepEqual(await readdir(folder), ["way"]);
    assert.deepEqual(await readdir(outside), ["kept"]);
  } finally {
    await rm(folder, { recursive: true });
    await rm(outside, { recursive: true });
  }
});
