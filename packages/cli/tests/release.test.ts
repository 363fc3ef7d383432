/** The release: what `npm pack` makes starts a cluster on its own, without the checkout's sources. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

const root = join(import.meta.dirname, "../../..");

test("the packed release brings a cluster up and takes it away", { timeout: 600_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), "skiff-release-"));
  try {
    execFileSync("npm", ["pack", "-w", "skiff", "--pack-destination", folder], {
      cwd: root,
      stdio: ["ignore", "ignore", "ignore"],
    });
    const archive = readdirSync(folder).find((name) => /^skiff-.*\.tgz$/.test(name));
    assert.ok(archive);
    execFileSync("tar", ["-xzf", archive], { cwd: folder });
    const release = join(folder, "package");
    assert.ok(!existsSync(join(release, "src")));
    // The two packages that it depends on, as an installation would put them beside it.
    symlinkSync(join(root, "node_modules"), join(release, "node_modules"));
    const env = { ...process.env, KUBECONFIG: join(folder, "kubeconfig") };
    const skiff = (...words: readonly string[]) =>
      execFileSync(
        process.execPath,
        [join(release, "bin/skiff.js"), ...words, "--home", join(folder, "home"), "--name", "release", "-o", "json"],
        { env, encoding: "utf8" },
      );
    try {
      assert.equal(JSON.parse(skiff("up", "--runtime", "simulated")).already, false);
      assert.equal(JSON.parse(skiff("status")).state, "running");
    } finally {
      skiff("delete");
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
