import type { Stats } from "node:fs";
import { chmod, chown, lchown, readdir } from "node:fs/promises";
import { type OpenPath, openAt, openBeneath } from "@skiff/host";

export interface FsGroup {
  readonly group: number;
  readonly readonly: boolean;
  /** Leave everything as it is where the volume's root is right already. */
  readonly onRootMismatch: boolean;
}

const deepest = 500;
const ownerBits = { write: 0o660, read: 0o440, enter: 0o110, setGroupId: 0o2000 };

const wantedMode = (mode: number, isFolder: boolean, { readonly }: FsGroup): number => {
  const allowed = mode | (readonly ? ownerBits.read : ownerBits.write);
  return isFolder ? allowed | ownerBits.setGroupId | ownerBits.enter : allowed;
};

/**
 * Gives a volume's files to a group, which may then read (and write) all of them; what is made in its folders later is the
 * group's too. Links are not followed, whatever happens in the volume meanwhile.
 */
export async function applyFsGroup(path: string, options: FsGroup): Promise<void> {
  await using root = await openBeneath(path, "");
  if (options.onRootMismatch) {
    const { gid, mode } = await root.stat();
    if (gid === options.group && wantedMode(mode, true, options) === mode) return;
  }
  await walk(root, async (entry) => {
    const stat = await entry.stat();
    await own(entry, stat, { uid: stat.uid, gid: options.group });
    if (!stat.isSymbolicLink()) await chmod(entry.path, wantedMode(stat.mode & 0o7777, stat.isDirectory(), options));
  });
}

/** Gives everything at and below a path to a user and a group. Links are not followed. */
export async function changeOwner(path: string, owner: { readonly uid: number; readonly gid: number }): Promise<void> {
  await using root = await openBeneath(path, "");
  await walk(root, async (entry) => own(entry, await entry.stat(), owner));
}

async function own(entry: OpenPath, stat: Stats, { uid, gid }: { readonly uid: number; readonly gid: number }) {
  if (!stat.isSymbolicLink()) await chown(entry.path, uid, gid);
  else if (entry.inFolder !== undefined) await lchown(entry.inFolder, uid, gid);
}

/** Visits everything at and below an open path, what a folder holds before the folder itself. */
async function walk(entry: OpenPath, visit: (entry: OpenPath) => Promise<void>, depth = 0): Promise<void> {
  // Each level is an open file of this process.
  if (depth > deepest) throw new Error(`folders are nested more than ${deepest} deep`);
  if ((await entry.stat()).isDirectory()) {
    for (const name of await readdir(entry.path)) {
      await using child = await openAt(entry, name).catch(ifGone);
      if (child !== undefined) await walk(child, visit, depth + 1);
    }
  }
  await visit(entry);
}

function ifGone(error: unknown): undefined {
  if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
  throw error;
}
