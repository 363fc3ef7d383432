import { readdir, rename, rmdir, unlink } from "node:fs/promises";
import { type OpenPath, openAt, openBeneath } from "./open-beneath.ts";

const hasCode = (error: unknown, code: string): boolean =>
  error instanceof Error && "code" in error && error.code === code;

/** Waits for something that may be gone already. */
async function unlessGone(work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!hasCode(error, "ENOENT")) throw error;
  }
}

/** Files of one folder that are deleted at one time. */
const atOnce = 32;

const slash = Buffer.from("/");

/** Deletes a folder that is no link. Names are bytes, not always text. Node's `rm` asks the file system twice as often. */
async function removeFolder(path: Buffer): Promise<void> {
  const entries = await readdir(path, { withFileTypes: true, encoding: "buffer" });
  const inner = ({ name }: { readonly name: Buffer }) => Buffer.concat([path, slash, name]);
  const files = entries.filter((entry) => !entry.isDirectory());
  for (let at = 0; at < files.length; at += atOnce)
    await Promise.all(files.slice(at, at + atOnce).map((file) => unlessGone(unlink(inner(file)))));
  for (const entry of entries) if (entry.isDirectory()) await unlessGone(removeFolder(inner(entry)));
  await rmdir(path);
}

/** Deletes whatever has this path. A link goes itself, not what it leads to. */
async function removeAny(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (hasCode(error, "ENOENT")) return;
    if (!hasCode(error, "EISDIR") && !hasCode(error, "EPERM")) throw error;
    await unlessGone(removeFolder(Buffer.from(path)));
  }
}

/**
 * Deletes a folder with everything in it, or whatever else has this path; fine when there is nothing. Also where folders
 * are nested so deeply that no path leads to the innermost ones, which a container can make and which nobody could
 * delete by path.
 */
export async function removeTree(path: string): Promise<void> {
  try {
    return await removeAny(path);
  } catch (error) {
    if (!hasCode(error, "ENAMETOOLONG")) throw error;
  }
  {
    await using top = await openBeneath(path, "");
    await flatten(top);
  }
  await removeAny(path);
}

/** Moves folders up to the top before they are emptied, so that nothing is ever deeper than two. */
async function flatten(top: OpenPath): Promise<void> {
  let serial = 0;
  const moveUp = async (from: string): Promise<void> => {
    for (;;) {
      try {
        return await rename(from, `${top.path}/.removed-${serial++}`);
      } catch (error) {
        const taken = error instanceof Error && "code" in error;
        if (!taken || !["ENOTEMPTY", "EEXIST", "ENOTDIR"].includes(String(error.code))) throw error;
      }
    }
  };
  for (let names = await readdir(top.path, { withFileTypes: true }); names.length > 0; ) {
    for (const entry of names) {
      if (!entry.isDirectory()) {
        await unlink(`${top.path}/${entry.name}`);
        continue;
      }
      await using folder = await openAt(top, entry.name);
      for (const inner of await readdir(folder.path, { withFileTypes: true })) {
        if (inner.isDirectory()) await moveUp(`${folder.path}/${inner.name}`);
        else await unlink(`${folder.path}/${inner.name}`);
      }
      await rmdir(`${top.path}/${entry.name}`);
    }
    names = await readdir(top.path, { withFileTypes: true });
  }
}
