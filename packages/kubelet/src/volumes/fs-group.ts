import { chmod, chown, lchown, readdir } from "node:fs/promises";
import { type OpenPath, openAt, openBeneath } from "@skiff/host";

export interface FsGroup {
  readonly group: number;
  readonly readonly: boolean;
  /** Leave everything as it is where the volume's root is right already. */
  readonly onRootMismatch: boolean;
}

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
  await give(root, options);
}

async function give(entry: OpenPath, options: FsGroup): Promise<void> {
  const stat = await entry.stat();
  if (stat.isDirectory()) {
    for (const name of await readdir(entry.path)) {
      await using child = await openAt(entry, name).catch(ifGone);
      if (child !== undefined) await give(child, options);
    }
  }
  if (stat.isSymbolicLink()) {
    if (entry.inFolder !== undefined) await lchown(entry.inFolder, stat.uid, options.group);
    return;
  }
  await chown(entry.path, stat.uid, options.group);
  await chmod(entry.path, wantedMode(stat.mode & 0o7777, stat.isDirectory(), options));
}

function ifGone(error: unknown): undefined {
  if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
  throw error;
}
