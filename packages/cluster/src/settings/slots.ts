import { mkdir, open, readdir, readFile, rm, rmdir, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Clock } from "@skiff/base";
import type { ClusterPaths } from "./paths.ts";

/**
 * Which slots of this machine are taken, whatever the homes of their clusters: one file a slot, with the path of the
 * cluster's settings in it. A port that is free tells too little: two clusters that start at the same time would both find
 * it so, and one that is stopped would lose its own. What lives in a temporary folder is gone after a boot; then ports alone decide.
 */
const folder = (): string => join(tmpdir(), "skiff-slots");

/** Before its settings are written, a claim counts for so long. */
const youngMs = 60_000;

/** Takes a slot for a cluster. False when it is another's. */
export async function claimSlot(
  slot: number,
  { settings }: Pick<ClusterPaths, "settings">,
  clock: Clock,
): Promise<boolean> {
  const file = join(folder(), String(slot));
  for (let tries = 1; ; tries++) {
    try {
      await mkdir(folder(), { recursive: true, mode: 0o1777 });
      if (await isLeft(file, clock)) await removeLeft(file, clock);
      await using claim = await open(file, "wx", 0o644);
      await claim.writeFile(resolve(settings));
      return true;
    } catch (error) {
      const code = error instanceof Error && "code" in error ? error.code : undefined;
      if (code === "EEXIST") return (await readFile(file, "utf8").catch(() => "")) === resolve(settings);
      // Whoever gave back the last slot took the folder away in between.
      if (code === "ENOENT" && tries < 100) continue;
      // A machine that keeps no record is no reason not to start: ports are looked at in any case.
      return true;
    }
  }
}

/** Gives back what a cluster has: more than one slot where its start was interrupted before it knew which. */
export async function releaseSlots({ settings }: Pick<ClusterPaths, "settings">): Promise<void> {
  for (const slot of await readdir(folder()).catch((): string[] => [])) {
    const file = join(folder(), slot);
    const owner = await readFile(file, "utf8").catch(() => undefined);
    if (owner === resolve(settings)) await rm(file, { force: true }).catch(() => {});
  }
  await rmdir(folder()).catch(() => {});
}

/** Takes a left claim away. Of several who see it one does so: another's hand would come late, and on the claim that follows. */
async function removeLeft(file: string, clock: Clock): Promise<void> {
  const turn = `${file}.left`;
  try {
    await mkdir(turn);
  } catch {
    // Whoever has been at it for long was killed there.
    const since = await stat(turn).catch(() => undefined);
    if (since !== undefined && clock.now() - since.mtimeMs > youngMs) await rmdir(turn).catch(() => {});
    return;
  }
  try {
    if (await isLeft(file, clock)) await rm(file, { force: true });
  } finally {
    await rmdir(turn).catch(() => {});
  }
}

/** A claim of a cluster that is gone, or never came to be. */
async function isLeft(file: string, clock: Clock): Promise<boolean> {
  const owner = await readFile(file, "utf8").catch(() => undefined);
  if (owner === undefined) return false;
  if ((await stat(owner).catch(() => undefined)) !== undefined) return false;
  const claim = await stat(file).catch(() => undefined);
  return claim !== undefined && clock.now() - claim.mtimeMs > youngMs;
}
