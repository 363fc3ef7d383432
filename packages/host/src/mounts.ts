import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { type Processes, systemProcesses } from "./processes.ts";

/** A line of `/proc/self/mountinfo`. */
export interface MountPoint {
  readonly id: number;
  readonly parentId: number;
  /** Folder of the file system that is mounted there. */
  readonly root: string;
  readonly target: string;
  readonly options: readonly string[];
  readonly fileSystem: string;
  readonly source: string;
  readonly superOptions: readonly string[];
  readonly propagation: "private" | "shared" | "slave";
}

export interface Mounts {
  list(): Promise<readonly MountPoint[]>;
  /** True where a file system is mounted at exactly this path. */
  isMountPoint(target: string): Promise<boolean>;
  /** A file system in memory; `sizeBytes` absent: half the machine's memory. `mode` as in `0o1777`. */
  mountTmpfs(
    target: string,
    options: { readonly sizeBytes?: number; readonly mode?: number },
    signal: AbortSignal,
  ): Promise<void>;
  /** Shows `source` (folder or file, which must both exist) at `target` too. `recursive` takes the mounts below along. */
  bind(
    source: string,
    target: string,
    options: { readonly readonly: boolean; readonly recursive: boolean },
    signal: AbortSignal,
  ): Promise<void>;
  /** Shows a file or folder that this process holds open (its descriptor) at `target`, which must be of the same sort. */
  bindOpen(fd: number, target: string, signal: AbortSignal): Promise<void>;
  /** Mounts a file system of another sort, as in `nfs`. Throws `CommandError` with what mount(8) says. */
  mount(
    mount: {
      readonly source: string;
      readonly target: string;
      readonly fileSystem: string;
      readonly options: readonly string[];
    },
    signal: AbortSignal,
  ): Promise<void>;
  /** Whether the kernel can mount such a file system now or after loading its module. */
  supports(fileSystem: string, signal: AbortSignal): Promise<boolean>;
  /** Changes the options of what is mounted, as in `["size=64m"]` or `["ro", "bind"]`. */
  remount(target: string, options: readonly string[], signal: AbortSignal): Promise<void>;
  /** Lets mounts made below `target` be seen in the namespaces that share it. Binds the folder onto itself where needed. */
  makeShared(target: string, signal: AbortSignal): Promise<void>;
  /** Fine when nothing is mounted there. `lazy` detaches what is still in use. */
  unmount(target: string, options: { readonly lazy: boolean }, signal: AbortSignal): Promise<void>;
  /** Unmounts everything at and below a folder, innermost first; gives what was unmounted. */
  unmountBelow(folder: string, signal: AbortSignal): Promise<readonly string[]>;
}

/** At once: the kernel gives a page of text for each read, and a thread for each page costs more than all the text. */
const readMountInfo = (): string => readFileSync("/proc/self/mountinfo", "utf8");

/** Whether mountinfo has a path as it stands. */
const isPlain = (path: string): boolean => !/[ \t\n\\]/.test(path);

/** mountinfo writes blank, tab, newline and backslash as octal escapes. */
const unescapeOctal = (field: string): string =>
  field.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));

function parseLine(line: string): MountPoint | undefined {
  // 36 35 98:0 /root /target rw,noatime shared:1 - ext4 /dev/sda1 rw,errors=continue
  const [before, after] = line.split(" - ");
  const [id, parentId, , root, target, options, ...tags] = before?.split(" ") ?? [];
  const [fileSystem, source, superOptions] = after?.split(" ") ?? [];
  if (root === undefined || target === undefined || fileSystem === undefined) return undefined;
  const has = (tag: string) => tags.some((one) => one.startsWith(tag));
  return {
    id: Number(id),
    parentId: Number(parentId),
    root: unescapeOctal(root),
    target: unescapeOctal(target),
    options: options?.split(",") ?? [],
    fileSystem,
    source: unescapeOctal(source ?? ""),
    superOptions: superOptions?.split(",") ?? [],
    propagation: has("shared:") ? "shared" : has("master:") ? "slave" : "private",
  };
}

/** Reads the text of a mountinfo file, in the order in which things were mounted. */
export const parseMountInfo = (text: string): readonly MountPoint[] =>
  text
    .split("\n")
    .map(parseLine)
    .filter((mount) => mount !== undefined);

/** Whether `path` is `folder` or lies below it. */
export const isWithin = (path: string, folder: string): boolean =>
  path === folder || path.startsWith(folder.endsWith("/") ? folder : `${folder}/`);

/** The machine's mounts, through mount(8) and `/proc`. */
export function systemMounts(processes: Processes = systemProcesses): Mounts {
  const mount = async (args: readonly string[], signal: AbortSignal) => {
    await processes.output("mount", { args, timeoutMs: 20_000 }, signal);
  };
  const list = async () => parseMountInfo(readMountInfo());
  const isMountPoint = async (target: string) => (await list()).some((one) => one.target === target);
  const unmount: Mounts["unmount"] = async (target, { lazy }, signal) => {
    const args = lazy ? ["-l", target] : [target];
    const result = await processes.run("umount", { args, timeoutMs: 20_000 }, signal);
    if (result.code !== 0 && (await isMountPoint(target))) throw new Error(`umount ${target}: ${result.stderr.trim()}`);
  };
  return {
    list,
    isMountPoint,
    unmount,
    async mountTmpfs(target, { sizeBytes, mode }, signal) {
      const options = [
        ...(sizeBytes === undefined ? [] : [`size=${sizeBytes}`]),
        ...(mode === undefined ? [] : [`mode=${mode.toString(8)}`]),
      ];
      await mount(["-t", "tmpfs", ...(options.length === 0 ? [] : ["-o", options.join(",")]), "tmpfs", target], signal);
    },
    async bind(source, target, { readonly, recursive }, signal) {
      await mount([recursive ? "--rbind" : "--bind", source, target], signal);
      // The kernel ignores `ro` on the bind itself.
      if (readonly) await mount(["-o", "remount,ro,bind", target], signal);
    },
    bindOpen: (fd, target, signal) =>
      mount(["--bind", "--no-canonicalize", `/proc/${process.pid}/fd/${fd}`, target], signal),
    mount: ({ source, target, fileSystem, options }, signal) =>
      mount(["-t", fileSystem, ...(options.length === 0 ? [] : ["-o", options.join(",")]), source, target], signal),
    async supports(fileSystem, signal) {
      const known = async () => {
        const names = (await readFile("/proc/filesystems", "utf8")).split("\n").map((line) => line.split("\t")[1]);
        return names.includes(fileSystem);
      };
      if (await known()) return true;
      const loaded = await processes
        .run("modprobe", { args: [fileSystem], timeoutMs: 10_000 }, signal)
        .catch(() => undefined);
      return loaded?.code === 0 && (await known());
    },
    remount: (target, options, signal) => mount(["-o", ["remount", ...options].join(","), target], signal),
    async makeShared(target, signal) {
      if (!(await isMountPoint(target))) await mount(["--rbind", target, target], signal);
      await mount(["--make-rshared", target], signal);
    },
    async unmountBelow(folder, signal) {
      const text = readMountInfo();
      // Most folders have nothing mounted, and a machine full of pods has many hundred mounts.
      if (isPlain(folder) && !text.includes(` ${folder}`)) return [];
      const targets = parseMountInfo(text)
        .map((one) => one.target)
        .filter((target) => isWithin(target, folder))
        .reverse();
      for (const target of targets) await unmount(target, { lazy: true }, signal);
      return targets;
    },
  };
}
