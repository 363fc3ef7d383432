import { lstat, opendir } from "node:fs/promises";
import { join } from "node:path";

export interface FolderSize {
  readonly bytes: number;
  readonly inodes: number;
}

const blockBytes = 512;

/** What a folder and all below it take up on its own file system; links are not followed. Zero when there is none. */
export async function folderSize(folder: string): Promise<FolderSize> {
  const top = await lstat(folder).catch(() => undefined);
  if (top === undefined) return { bytes: 0, inodes: 0 };
  let bytes = top.blocks * blockBytes;
  let inodes = 1;
  const seen = new Set<number>();
  const waiting = top.isDirectory() ? [folder] : [];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const entries = await opendir(next).catch(() => undefined);
    if (entries === undefined) continue;
    for await (const entry of entries) {
      const path = join(next, entry.name);
      const stats = await lstat(path).catch(() => undefined);
      if (stats === undefined || stats.dev !== top.dev) continue;
      if (stats.nlink > 1 && !stats.isDirectory()) {
        if (seen.has(stats.ino)) continue;
        seen.add(stats.ino);
      }
      bytes += stats.blocks * blockBytes;
      inodes++;
      if (stats.isDirectory()) waiting.push(path);
    }
  }
  return { bytes, inodes };
}
