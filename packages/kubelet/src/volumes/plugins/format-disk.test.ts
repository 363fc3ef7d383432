import assert from "node:assert/strict";
import { test } from "node:test";
import { formatIfEmpty } from "./format-disk.ts";

const { signal } = new AbortController();
const disk = "/dev/sdx";

/** What was run on a disk of which `blkid` says so, but for `blkid` itself; or how it was refused. */
async function format(blkid: number, wanted: { fileSystem?: string; readonly?: boolean } = {}, mkfs = 0) {
  const commands: string[] = [];
  const run = async (command: string, { args = [] }: { readonly args?: readonly string[] }) => {
    if (command !== "blkid") commands.push([command, ...args].join(" "));
    return { code: command === "blkid" ? blkid : mkfs, signal: "", stdout: "", stderr: "it is so\n" };
  };
  const { fileSystem = "ext4", readonly = false } = wanted;
  try {
    await formatIfEmpty(disk, { fileSystem, readonly }, { run }, signal);
  } catch (error) {
    commands.push(error instanceof Error ? error.message : "");
  }
  return commands;
}

test("an empty disk is formatted, each file system in its way", async () => {
  assert.deepEqual(await format(2), ["mkfs.ext4 -F -m0 /dev/sdx"]);
  assert.deepEqual(await format(2, { fileSystem: "xfs" }), ["mkfs.xfs -f /dev/sdx"]);
  assert.deepEqual(await format(2, { fileSystem: "btrfs" }), ["mkfs.btrfs /dev/sdx"]);
});

test("a disk that has something on it, or nobody knows what, is left alone", async () => {
  assert.deepEqual(await format(0), []);
  assert.deepEqual(await format(4), ["failed to get disk format of disk /dev/sdx: it is so"]);
  assert.deepEqual(await format(2, { readonly: true }), [
    "cannot mount unformatted disk /dev/sdx as we are manipulating it in read-only mode",
  ]);
});

test("what mkfs says is told", async () => {
  assert.deepEqual(
    (await format(2, {}, 1)).at(-1),
    'format of disk "/dev/sdx" failed: type:("ext4") output:(it is so)',
  );
});
