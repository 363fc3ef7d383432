import assert from "node:assert/strict";
import { lstat, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { openAt, openBeneath } from "./open-beneath.ts";
import { removeTree } from "./remove-tree.ts";

async function temporary() {
  const path = await mkdtemp(join(tmpdir(), "skiff-beneath-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

describe("paths below a folder", () => {
  it("are opened part by part, and made where asked for", async () => {
    await using folder = await temporary();
    await using made = await openBeneath(folder.path, "a/./b//c", { makeMode: 0o2770 });
    assert.equal((await made.stat()).mode & 0o7777, 0o2770);
    assert.ok((await stat(join(folder.path, "a/b/c"))).isDirectory());
    await assert.rejects(openBeneath(folder.path, "a/x/c"), /ENOENT/);
    await assert.rejects(openAt(made, "../b"), /is no name/);
  });

  it("stay the same whatever becomes of their names", async () => {
    await using folder = await temporary();
    await mkdir(join(folder.path, "a/b"), { recursive: true });
    await writeFile(join(folder.path, "a/b/f"), "inside");
    await using held = await openBeneath(folder.path, "a/b");
    await rename(join(folder.path, "a"), join(folder.path, "moved"));
    await symlink("/etc", join(folder.path, "a"));
    assert.equal(await readFile(`${held.path}/f`, "utf8"), "inside");
  });

  it("do not lead out: neither by dots nor by links, wherever these are", async () => {
    await using folder = await temporary();
    await mkdir(join(folder.path, "d"));
    await symlink("/etc", join(folder.path, "d/out"));
    await symlink("d", join(folder.path, "in"));
    for (const path of ["..", "d/../..", "d/out", "d/out/passwd", "in", "in/x"])
      await assert.rejects(openBeneath(folder.path, path, { makeMode: 0o755 }), /symlink|\.\./, path);
    await assert.rejects(openBeneath(join(folder.path, "in"), ""), /symlink/);
    assert.deepEqual(await readdir(join(folder.path, "d")), ["out"]);
  });

  it("never lead out while somebody exchanges folders and links all the time", async () => {
    await using folder = await temporary();
    await using outside = await temporary();
    await mkdir(join(folder.path, "real"));
    await symlink(outside.path, join(folder.path, "link"));
    let over = false;
    const swap = (async () => {
      while (!over) {
        for (const name of ["real", "link"]) {
          await rename(join(folder.path, name), join(folder.path, "x")).catch(() => {});
          await new Promise((resolve) => setImmediate(resolve));
          await rename(join(folder.path, "x"), join(folder.path, name)).catch(() => {});
        }
      }
    })();
    let made = 0;
    for (let round = 0; round < 300; round++) {
      try {
        await using _ = await openBeneath(folder.path, `x/deep-${round}`, { makeMode: 0o777 });
        made++;
      } catch {}
    }
    over = true;
    await swap;
    assert.deepEqual(await readdir(outside.path), [], `${made} folders were made`);
  });
});

describe("removing a tree", () => {
  it("takes links, names that are no text and single files, and leaves what links lead to", async () => {
    await using folder = await temporary();
    await using outside = await temporary();
    await writeFile(join(outside.path, "kept"), "");
    const [top, link, file] = ["top", "link", "file"].map((name) => join(folder.path, name));
    assert.ok(top !== undefined && link !== undefined && file !== undefined);
    await mkdir(join(top, "a/b"), { recursive: true });
    await symlink(outside.path, join(top, "a/out"));
    await writeFile(Buffer.concat([Buffer.from(`${top}/a/b/`), Buffer.from([0xff, 0xfe])]), "");
    await symlink(outside.path, link);
    await writeFile(file, "");
    for (const path of [top, link, file]) await removeTree(path);
    assert.deepEqual([await readdir(folder.path), await readdir(outside.path)], [[], ["kept"]]);
  });

  it("goes as deep as it is, and not through links", async () => {
    await using folder = await temporary();
    await using outside = await temporary();
    await writeFile(join(outside.path, "kept"), "");
    const top = join(folder.path, "top");
    await mkdir(top);
    const name = "n".repeat(200);
    {
      await using deep = await openBeneath(top, Array.from({ length: 60 }, () => name).join("/"), { makeMode: 0o755 });
      await symlink(outside.path, `${deep.path}/out`);
      await writeFile(`${deep.path}/f`, "");
    }
    await assert.rejects(rm(top, { recursive: true }), /ENAMETOOLONG/);
    await removeTree(top);
    await assert.rejects(lstat(top), /ENOENT/);
    assert.deepEqual(await readdir(outside.path), ["kept"]);
    await removeTree(top);
  });
});
