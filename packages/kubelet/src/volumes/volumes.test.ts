import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, readlink, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { seededRandom } from "@skiff/base";
import { writeVolume } from "./atomic-writer.ts";
import { selectFiles } from "./payload.ts";
import { checkHostPath } from "./plugins/host-path.ts";
import { rotateAtMs } from "./service-account-token.ts";

async function temporary() {
  const path = await mkdtemp(join(tmpdir(), "skiff-volume-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

const file = (text: string, mode = 0o644) => ({ data: Buffer.from(text), mode });
const options = { nowMs: 0, random: seededRandom(1), group: undefined };

describe("volumes", () => {
  it("exchanges all files at once, and only when they differ", async () => {
    await using folder = await temporary();
    const { path } = folder;
    assert.equal(
      await writeVolume(
        path,
        new Map([
          ["a", file("1")],
          ["d/b", file("2", 0o400)],
        ]),
        options,
      ),
      true,
    );
    const first = await readlink(join(path, "..data"));
    assert.equal(await readlink(join(path, "a")), "..data/a");
    assert.equal(await readFile(join(path, "d/b"), "utf8"), "2");
    assert.equal((await stat(join(path, "d/b"))).mode & 0o777, 0o400);
    assert.equal(
      await writeVolume(
        path,
        new Map([
          ["a", file("1")],
          ["d/b", file("2", 0o400)],
        ]),
        options,
      ),
      false,
    );
    assert.equal(await writeVolume(path, new Map([["a", file("3")]]), options), true);
    assert.equal(await readFile(join(path, "a"), "utf8"), "3");
    const names = await readdir(path);
    assert.ok(!names.includes("d") && !names.includes(first), `${names}`);
  });

  it("writes nothing outside, whatever files are called", async () => {
    await using folder = await temporary();
    const path = join(folder.path, "volume");
    const random = seededRandom(7);
    const parts = ["a", "b", "..", ".", "", "..data", "..data_tmp", "...", "c".repeat(255), "c".repeat(300), "x\0y"];
    let written = 0;
    for (let round = 0; round < 300; round++) {
      const length = 1 + Math.floor(random.next() * 3);
      const name = Array.from({ length }, () => parts[Math.floor(random.next() * parts.length)]).join("/");
      const wrote = await writeVolume(path, new Map([[name, file(name)]]), options).catch(() => false);
      if (!wrote) continue;
      written++;
      assert.equal(await readFile(join(path, name), "utf8"), name);
    }
    assert.ok(written > 20, `${written} were written`);
    assert.deepEqual(await readdir(folder.path), ["volume"]);
  });

  it("chooses keys, and says which is missing", () => {
    const bytes = new Map([["k", Buffer.from("v")]]);
    const of = (key: string, optional: boolean) => [
      ...selectFiles(bytes, { items: [{ key, path: "p", mode: 0o600 }], mode: 0o644, optional, keyOf: "config" }),
    ];
    assert.deepEqual(of("k", false), [["p", { data: Buffer.from("v"), mode: 0o600 }]]);
    assert.deepEqual(of("x", true), []);
    assert.throws(() => of("x", false), /^VolumeFailure: references non-existent config key: x$/);
  });

  it("checks host paths", async () => {
    await using folder = await temporary();
    const path = join(folder.path, "f");
    await writeFile(path, "");
    await assert.rejects(
      checkHostPath({ path, type: "Directory" }),
      /hostPath type check failed: .* is not a directory/,
    );
    await checkHostPath({ path, type: "File" });
    await checkHostPath({ path: join(folder.path, "made/deep"), type: "DirectoryOrCreate" });
    assert.ok((await stat(join(folder.path, "made/deep"))).isDirectory());
  });

  it("renews tokens before they expire", () => {
    assert.equal(rotateAtMs({ issuedMs: 0, expiresMs: 1000 }), 800);
    assert.equal(rotateAtMs({ issuedMs: 0, expiresMs: 1e12 }), 86_400_000);
  });
});
