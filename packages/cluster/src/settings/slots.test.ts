import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, utimes } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { systemClock } from "@skiff/base";
import { clusterPaths } from "./paths.ts";
import { claimSlot, releaseSlots } from "./slots.ts";

/** Slots of this test's own: records lie in the temporary folder. */
let folder = "";
const { TMPDIR: usual } = process.env;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "skiff-slots-"));
  process.env.TMPDIR = folder;
});
after(async () => {
  if (usual === undefined) delete process.env.TMPDIR;
  else process.env.TMPDIR = usual;
  await rm(folder, { recursive: true });
});

const paths = (name: string) => clusterPaths(join(folder, "home"), name);
const claim = (slot: number, name: string) => claimSlot(slot, paths(name), systemClock);
const owner = (slot: number) => readFile(join(folder, "skiff-slots", String(slot)), "utf8");

/** After some turns of the event loop. */
const later = async <T>(turns: number, what: () => Promise<T>): Promise<T> => {
  for (let turn = 0; turn < turns; turn++) await new Promise(setImmediate);
  return await what();
};

describe("slots of a machine", () => {
  it("are one cluster's each, until it gives them back", async () => {
    assert.deepEqual([await claim(0, "a"), await claim(0, "a"), await claim(0, "b")], [true, true, false]);
    await releaseSlots(paths("b"));
    assert.equal(await owner(0), paths("a").settings);
    await releaseSlots(paths("a"));
    assert.equal(await claim(0, "b"), true);
    await releaseSlots(paths("b"));
  });

  it("are kept of whoever takes one while the last of the others is given back", async () => {
    for (let round = 0; round < 150; round++) {
      await claim(0, "leaves");
      const leaves = later(round % 5, () => releaseSlots(paths("leaves")));
      const comes = later(round % 7, () => claim(1, "comes"));
      assert.equal((await Promise.all([comes, leaves]))[0], true);
      assert.equal(await owner(1), paths("comes").settings, `round ${round}`);
      await releaseSlots(paths("comes"));
    }
  });

  it("whose clusters are gone are given to one of those that ask at once", async () => {
    for (let round = 0; round < 100; round++) {
      await claim(2, "gone");
      await utimes(join(folder, "skiff-slots", "2"), 0, 0);
      const names = ["a", "b", "c"];
      const given = await Promise.all(names.map((name, at) => later((round * at) % 11, () => claim(2, name))));
      assert.equal(given.filter(Boolean).length, 1, `round ${round}: ${given}`);
      await Promise.all(names.map((name) => releaseSlots(paths(name))));
    }
  });
});
