import {
  chmod,
  chown,
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  symlink,
  writeFile,
} from "node:fs/promises";
import { dirname, join } from "node:path";
import { nameSuffix, type Random } from "@skiff/base";

/** A file of a volume. `mode` as in `0o644`. */
export interface VolumeFile {
  readonly data: Uint8Array;
  readonly mode: number;
  /** Owner, where it is not root. */
  readonly uid?: number;
}

/** Files by their path within the volume. */
export type VolumePayload = ReadonlyMap<string, VolumeFile>;

const dataLink = "..data";

/**
 * Writes a volume's files so that a reader sees either all old or all new ones: they lie in a folder of their own, which
 * the link `..data` names; names that users see are links into `..data`, and only that one link is exchanged.
 *
 *     config.yaml -> ..data/config.yaml
 *     ..data      -> ..2026_01_02_03_04_05.x2k8p
 *
 * Returns false when the volume has these files already.
 */
export async function writeVolume(
  folder: string,
  payload: VolumePayload,
  options: { readonly nowMs: number; readonly random: Random; readonly group: number | undefined },
): Promise<boolean> {
  const current = await readlink(join(folder, dataLink)).catch(() => undefined);
  if (current !== undefined && (await sameFiles(join(folder, current), payload))) return false;
  const stamp = new Date(options.nowMs).toISOString().slice(0, 19).replaceAll(/[-T:]/g, "_");
  const next = `..${stamp}.${nameSuffix(options.random, 9)}`;
  const group = options.group;
  await mkdir(join(folder, next), { recursive: true, mode: 0o755 });
  for (const [path, file] of payload) {
    const target = join(folder, next, path);
    await mkdir(dirname(target), { recursive: true, mode: 0o755 });
    await writeFile(target, file.data);
    // A group that is given gets to read what the owner may.
    await chmod(target, group === undefined ? file.mode : file.mode | ((file.mode & 0o400) >> 3));
    if (group !== undefined || file.uid !== undefined) await chown(target, file.uid ?? 0, group ?? 0);
  }
  const swap = join(folder, "..data_tmp");
  await rm(swap, { force: true });
  await symlink(next, swap);
  await rename(swap, join(folder, dataLink));
  await linkNames(folder, new Set([...payload.keys()].map(firstPart)));
  if (current !== undefined) await rm(join(folder, current), { recursive: true, force: true });
  return true;
}

const firstPart = (path: string): string => path.split("/")[0] ?? path;

async function linkNames(folder: string, names: ReadonlySet<string>): Promise<void> {
  const present = new Set((await readdir(folder)).filter((name) => !name.startsWith("..")));
  for (const name of present) if (!names.has(name)) await rm(join(folder, name), { recursive: true, force: true });
  for (const name of names) if (!present.has(name)) await symlink(join(dataLink, name), join(folder, name));
}

async function sameFiles(folder: string, payload: VolumePayload): Promise<boolean> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  if (entries.filter((entry) => entry.isFile()).length !== payload.size) return false;
  for (const [path, file] of payload) {
    const target = join(folder, path);
    const [data, stat] = await Promise.all([
      readFile(target).catch(() => undefined),
      lstat(target).catch(() => undefined),
    ]);
    if (data === undefined || stat === undefined || !data.equals(file.data)) return false;
  }
  return true;
}
