/**
 * A container that rewrites a volume while the node mounts parts of it: names are folders, links out of the volume and
 * nothing, in turn and as fast as a process can. `SKIFF_SEED=N` replays the paths that are asked for.
 */
import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { seededRandom } from "@skiff/base";
import { systemMounts, systemProcesses } from "@skiff/host";
import { PodFolders } from "../pods/folders.ts";
import { SubPaths } from "./sub-path.ts";

const { signal } = new AbortController();
const seed = Number(process.env.SKIFF_SEED ?? 20_261_128);
const attempts = 250;
const names = ["x", "y", "deep", ".", "..", "", "link", "up", "...", "x ", "..data", "\n", "n".repeat(255)];

test(`parts of volumes never lead out, whoever exchanges what meanwhile (seed ${seed})`, async () => {
  const folder = await mkdtemp(join(tmpdir(), "skiff-race-"));
  const mounts = systemMounts();
  const root = join(folder, "volume");
  const outside = join(folder, "outside");
  for (const one of [root, join(outside, "y")]) await mkdir(one, { recursive: true });
  await writeFile(join(outside, "secret"), "of the node");
  await writeFile(join(outside, "y", "secret"), "of the node");
  await symlink(outside, join(root, "link"));
  await symlink("../outside/y", join(root, "up"));
  const { ino } = await stat(outside);
  const rewrite =
    'cd "$1" && while :; do mkdir -p x/y x/deep; mv -T x old; ln -s "$2" x; rm -f x; mv -T old x; rm -rf x/y; ln -s "$2/y" x/y; rm -rf x/y x/deep; done';
  const container = await systemProcesses.start("sh", {
    args: ["-c", rewrite, "sh", root, outside],
    log: { kind: "none" },
  });
  const subPaths = new SubPaths(new PodFolders({ rootFolder: join(folder, "kubelet"), logFolder: folder }), mounts);
  const random = seededRandom(seed);
  let mounted = 0;
  try {
    for (let index = 0; index < attempts; index++) {
      const parts = Array.from({ length: 1 + Math.floor(random.next() * 3) }, () => {
        return names[Math.floor(random.next() * (random.next() < 0.6 ? 3 : names.length))] ?? "x";
      });
      const below = parts.join("/");
      const place = { uid: "u", volume: "v", container: "c", index };
      const target = await subPaths.prepare({ root, below, place }, signal).catch(() => undefined);
      if (target === undefined) continue;
      mounted++;
      const found = await stat(target);
      assert.notEqual(found.ino, ino, `${JSON.stringify(below)} is outside`);
      const shown = found.isDirectory() ? await readdir(target) : [];
      assert.ok(!shown.includes("secret"), `${JSON.stringify(below)} shows what lies outside`);
      await mounts.unmountBelow(target, signal);
    }
    assert.ok(mounted > attempts / 20, `only ${mounted} were mounted at all`);
    assert.deepEqual((await readdir(outside)).sort(), ["secret", "y"]);
    assert.deepEqual(await readdir(join(outside, "y")), ["secret"]);
    assert.equal(await readFile(join(outside, "secret"), "utf8"), "of the node");
  } finally {
    container.kill("SIGKILL");
    await container.exit;
    await mounts.unmountBelow(folder, signal);
    await rm(folder, { recursive: true, force: true });
  }
});
