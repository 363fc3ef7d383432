import { readdir, rename, rm, rmdir, unlink } from "node:fs/promises";
import { type OpenPath, openAt, openBeneath } from "./open-beneath.ts";

const tooLong = (error: unknown): boolean => error instanceof Error && "code" in error && error.code === "ENAMETOOLONG";

/**
 * Deletes a folder with everything in it, or whatever else has this path; fine when there is nothing. Also where folders
 * are nested so deeply that no path leads to the innermost ones, which a container can make and which nobody could
 * delete by path.
 */
export async function removeTree(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true });
    return;
  } catch (error) {
    if (!tooLong(error)) throw error;
  }
  {
    await using top = await openBeneath(path, "");
    await flatten(top);
  }
  await rm(path, { recursive: true, force: true });
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
