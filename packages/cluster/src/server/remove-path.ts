import { realpath, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/**
 * Removes a directory that volumes were on, with all in it. Throws where the way to it leaves `/tmp` by a link: what pods
 * put there must not say what is deleted.
 */
export async function removePath(path: string): Promise<void> {
  const folder = await realpath(dirname(path)).catch(() => undefined);
  if (folder === undefined) return;
  const root = await realpath("/tmp");
  if (folder !== root && !folder.startsWith(`${root}/`)) throw new Error(`${path} is not below /tmp`);
  await rm(join(folder, basename(path)), { recursive: true, force: true });
}
