import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import { shimScript, writeShimScript } from "./shim-script.ts";

const run = promisify(execFile);
const id = "0123abcd";
const words = (action: string) => ["-namespace", "k8s.io", "-address", "/run/it's.sock", "-id", id, action];

describe("the shim's script", () => {
  let folder: string;
  let script: string;
  const state = () => join(folder, "it's runc's");
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "skiff-shim-"));
    const program = join(folder, "it's real");
    await writeFile(program, '#!/bin/sh\nprintf "<%s>" "$@"\n');
    script = join(folder, "script");
    await writeFile(script, shimScript(program, state()));
    for (const file of [program, script]) await chmod(file, 0o755);
  });
  after(() => rm(folder, { recursive: true }));

  const real = (action: string) =>
    `${words(action)
      .map((word) => `<${word}>`)
      .join("")}`;

  it("leaves all to the program but the delete of what runc does not know", async () => {
    assert.equal((await run(script, words("delete"))).stdout, real("delete"), "runc has no folder yet");
    await mkdir(join(state(), id), { recursive: true });
    for (const action of ["start", "delete", "-v"]) {
      assert.equal((await run(script, words(action))).stdout, real(action));
    }
    await rm(join(state(), id), { recursive: true });
    assert.equal((await run(script, words("start"))).stdout, real("start"));
    assert.equal((await run(script, ["delete"])).stdout, "<delete>");
    const { stdout } = await run(script, words("delete"), { encoding: "buffer" });
    assert.deepEqual([...stdout], [(2 << 3) | 0, 0x80 | (137 & 0x7f), 137 >> 7], "field 2, a varint");
  });

  it("is looked for in its folder", async () => {
    const folders = await writeShimScript(folder, "/usr/bin/true");
    assert.deepEqual(folders, [join(folder, "bin")]);
    await run("containerd-shim-runc-v2", ["-v"], { env: { ...process.env, PATH: folders.join(":") } });
  });
});
