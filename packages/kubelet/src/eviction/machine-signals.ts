import { readFile, statfs } from "node:fs/promises";
import type { Observation, Observations } from "./thresholds.ts";

const textOf = (path: string): Promise<string> => readFile(path, "utf8").catch(() => "");

/** The most processes and threads that the machine can have; 0 where it does not say. */
export async function maxProcesses(): Promise<number> {
  const [pids, threads] = await Promise.all([
    textOf("/proc/sys/kernel/pid_max"),
    textOf("/proc/sys/kernel/threads-max"),
  ]);
  const known = [Number(pids), Number(threads)].filter((one) => one > 0);
  return known.length === 0 ? 0 : Math.min(...known);
}

async function disk(
  folder: string,
): Promise<{ readonly space: Observation; readonly inodes: Observation } | undefined> {
  const stats = await statfs(folder).catch(() => undefined);
  if (stats === undefined || stats.blocks === 0) return undefined;
  return {
    space: { available: stats.bavail * stats.bsize, capacity: stats.blocks * stats.bsize },
    inodes: { available: stats.ffree, capacity: stats.files },
  };
}

/** What is left on this machine of memory, disk and processes. `images`: a folder on the file system of images. */
export async function machineSignals(folders: {
  readonly node: string;
  readonly images: string;
}): Promise<Observations> {
  const [memory, node, images, load, most] = await Promise.all([
    textOf("/proc/meminfo"),
    disk(folders.node),
    disk(folders.images),
    textOf("/proc/loadavg"),
    maxProcesses(),
  ]);
  const found = new Map<string, Observation>();
  const kilobytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(memory)?.[1] ?? "0");
  const total = kilobytes("MemTotal");
  if (total > 0) found.set("memory.available", { available: kilobytes("MemAvailable") * 1024, capacity: total * 1024 });
  for (const [name, one] of [
    ["nodefs", node],
    ["imagefs", images],
    ["containerfs", images],
  ] as const) {
    if (one === undefined) continue;
    found.set(`${name}.available`, one.space);
    // Some file systems make inodes as they need them, and say that they have none.
    if (one.inodes.capacity > 0) found.set(`${name}.inodesFree`, one.inodes);
  }
  const running = Number(/\/(\d+) /.exec(load)?.[1] ?? "0");
  if (most > 0 && running > 0) found.set("pid.available", { available: most - running, capacity: most });
  return found;
}
