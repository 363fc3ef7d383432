import { constants, type Stats } from "node:fs";
import { chmod, type FileHandle, mkdir, open } from "node:fs/promises";

/** Names a place without opening it for reading or writing; Node has no name for it (the same on all of Linux' 64-bit machines). */
const oPath = 0o10000000;
const maxParts = 256;

/**
 * A file or folder that is held fast: `path` leads to this very one, whatever becomes of the names that led to it. Valid
 * until disposed of, in this process only.
 */
export interface OpenPath extends AsyncDisposable {
  /** As in `/proc/self/fd/23`. */
  readonly path: string;
  readonly fd: number;
  /** Its name within the folder it was opened from, for what concerns a link itself. */
  readonly inFolder: string | undefined;
  stat(): Promise<Stats>;
}

const held = (file: FileHandle, inFolder?: string): OpenPath => ({
  path: `/proc/self/fd/${file.fd}`,
  fd: file.fd,
  inFolder,
  stat: () => file.stat(),
  [Symbol.asyncDispose]: () => file.close(),
});

/** Opens what has this name in an open folder. A link is opened itself, not followed. */
export async function openAt(folder: OpenPath, name: string): Promise<OpenPath> {
  if (name === "" || name === "." || name === ".." || name.includes("/")) throw new Error(`"${name}" is no name`);
  const path = `${folder.path}/${name}`;
  return held(await open(path, oPath | constants.O_NOFOLLOW), path);
}

/**
 * Opens a path below a folder as the kernel's openat2 does with RESOLVE_NO_SYMLINKS and RESOLVE_BENEATH: part after part,
 * each looked up in the folder that is already open, so that somebody who exchanges names and links meanwhile can only make
 * it fail. The root itself must be no link. With `makeMode` folders that are missing are made, with exactly that mode.
 */
export async function openBeneath(
  root: string,
  relative: string,
  options: { readonly makeMode?: number } = {},
): Promise<OpenPath> {
  const parts = relative.split("/").filter((part) => part !== "" && part !== ".");
  if (parts.includes("..")) throw new Error(`${relative}: must not contain '..'`);
  if (parts.length > maxParts) throw new Error(`${relative}: too many parts`);
  let current = held(await open(root, oPath | constants.O_NOFOLLOW));
  try {
    for (const part of parts) {
      const next = await step(current, part, options.makeMode);
      await current[Symbol.asyncDispose]();
      current = next;
    }
    if ((await current.stat()).isSymbolicLink()) throw new Error(`${relative}: unexpected symlink found`);
    return current;
  } catch (error) {
    await current[Symbol.asyncDispose]();
    throw error;
  }
}

async function step(folder: OpenPath, part: string, makeMode: number | undefined): Promise<OpenPath> {
  try {
    const found = await openAt(folder, part);
    if (!(await found.stat()).isSymbolicLink()) return found;
    await found[Symbol.asyncDispose]();
    throw new Error(`${part}: unexpected symlink found`);
  } catch (error) {
    const missing = error instanceof Error && "code" in error && error.code === "ENOENT";
    if (!missing || makeMode === undefined) throw error;
  }
  await mkdir(`${folder.path}/${part}`, { mode: makeMode & 0o777 });
  const made = await openAt(folder, part);
  // Not weakened by the process' umask. Should it be something else by now, the next part or the mount deals with that.
  if ((await made.stat()).isDirectory()) await chmod(made.path, makeMode);
  return made;
}
