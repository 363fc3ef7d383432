import { lstat, mkdir, realpath, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { isWithin, type Mounts, openBeneath } from "@skiff/host";
import type { PodFolders } from "../pods/folders.ts";

/** The mount of a container that a part of a volume is for. */
export interface SubPathPlace {
  readonly uid: string;
  readonly volume: string;
  readonly container: string;
  /** Of the mount among the container's mounts. */
  readonly index: number;
}

/**
 * Parts of volumes, for mounts with a subPath. What is in a volume is in the hands of containers, which may exchange a
 * folder for a link to somewhere on the node at any moment. So the part is looked up without following links, held open, and
 * mounted from there to a place that only the node reaches; the container gets that place.
 */
export class SubPaths {
  readonly #folders: PodFolders;
  readonly #mounts: Mounts | undefined;

  constructor(folders: PodFolders, mounts: Mounts | undefined) {
    this.#folders = folders;
    this.#mounts = mounts;
  }

  /**
   * Finds `below` in the volume at `root` (made as a folder, with the root's mode, where it is missing) and gives the path
   * under which the container shall mount it. Throws for whatever leads out of the volume.
   */
  async prepare(
    wanted: { readonly root: string; readonly below: string; readonly place: SubPathPlace },
    signal: AbortSignal,
  ): Promise<string> {
    const root = await realpath(wanted.root);
    // Links that stay within the volume are fine (`..data` is one); they are resolved here, once, and not trusted after that.
    const existing = await deepestExisting(root, join(root, wanted.below));
    const real = await realpath(existing);
    if (!isWithin(real, root)) throw new Error(`${wanted.below} leads out of the volume`);
    const missing = relative(existing, join(root, wanted.below));
    const { mode } = await stat(root);
    await using found = await openBeneath(root, join(relative(root, real), missing), { makeMode: mode & 0o7777 });
    if (this.#mounts === undefined) return join(real, missing);
    const { uid, volume, container, index } = wanted.place;
    const target = join(this.#folders.subPaths(uid), volume, container, String(index));
    const part = await found.stat();
    if (await this.#mounts.isMountPoint(target)) {
      const before = await lstat(target);
      if (before.ino === part.ino && before.dev === part.dev) return target;
      await this.#mounts.unmount(target, { lazy: true }, signal);
    }
    await rm(target, { recursive: true, force: true });
    await mkdir(dirname(target), { recursive: true, mode: 0o750 });
    if (part.isDirectory()) await mkdir(target, { mode: 0o750 });
    else await writeFile(target, "", { mode: 0o640 });
    await this.#mounts.bindOpen(found.fd, target, signal);
    return target;
  }
}

/** The longest beginning of a path that leads somewhere; links count where they lead to something. */
async function deepestExisting(root: string, path: string): Promise<string> {
  for (let current = path; current !== root; current = dirname(current)) {
    if ((await lstat(current).catch(() => undefined)) !== undefined) return current;
  }
  return root;
}
