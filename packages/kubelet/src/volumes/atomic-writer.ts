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
import { isAbsolute, join, normalize } from "node:path";
import { nameSuffix, type Random } from "@skiff/base";
import { VolumeFailure } from "./volume-plugin.ts";

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
  for (const path of payload.keys()) checkPath(path);
  const current = await readlink(join(folder, dataLink)).catch(() => undefined);
  if (current !== undefined && (await sameFiles(join(folder, current), payload))) return false;
  const stamp = new Date(options.nowMs).toISOString().slice(0, 19).replaceAll(/[-T:]/g, "_");
  const next = `..${stamp}.${nameSuffix(options.random, 9)}`;
  const group = options.group;
  await makeFolder(join(folder, next), group);
  for (const [path, file] of payload) {
    const target = join(folder, next, path);
    let parent = join(folder, next);
    for (const part of path.split("/").slice(0, -1)) {
      parent = join(parent, part);
      await makeFolder(parent, group);
    }
    await writeFile(target, file.data);
    if (group !== undefined || file.uid !== undefined) await chown(target, file.uid ?? 0, group ?? 0);
    // A group that is given gets to read all files, whatever their own mode says.
    await chmod(target, group === undefined ? file.mode : file.mode | 0o440);
  }
  const swap = join(folder, "..data_tmp");
  await rm(swap, { force: true });
  await symlink(next, swap);
  await rename(swap, join(folder, dataLink));
  await linkNames(folder, new Set([...payload.keys()].map(firstPart)));
  if (current !== undefined) await rm(join(folder, current), { recursive: true, force: true });
  return true;
}

async function makeFolder(path: string, group: number | undefined): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o755 });
  if (group !== undefined) await chown(path, 0, group);
  await chmod(path, group === undefined ? 0o755 : 0o2755);
}

/** Throws for paths that could lead out of a volume or hide what makes it work. */
function checkPath(path: string): void {
  if (isAbsolute(path)) throw new VolumeFailure(`invalid path: path must be relative, not absolute: ${path}`);
  if (path.split("/").includes("..")) throw new VolumeFailure(`invalid path: path must not contain '..': ${path}`);
  if (path.startsWith("..")) throw new VolumeFailure(`invalid path: path must not start with '..': ${path}`);
  if (path === "" || Buffer.byteLength(path) > 4096) throw new VolumeFailure("invalid path: it is empty or too long");
}

const firstPart = (path: string): string => normalize(path).split("/")[0] ?? path;

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
