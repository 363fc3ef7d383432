import { mkdirSync, rmdirSync, writeFileSync } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type CgroupCounters, readCounters, readOomKills } from "./cgroup-counters.ts";
import { type CgroupLayout, detectCgroupLayout } from "./cgroup-layout.ts";

/** Limits of a group. Absent: as it is. */
export interface CgroupLimits {
  /** Relative weight, 2 to 262144, as in cgroup v1 (1024 for one core); converted for v2. */
  readonly cpuShares?: number;
  /** CPU time per period in microseconds; -1 for no limit. */
  readonly cpuQuotaUs?: number;
  /** 100,000 where not given. */
  readonly cpuPeriodUs?: number;
  /** -1 for no limit. */
  readonly memoryLimitBytes?: number;
  /** -1 for no limit. */
  readonly pids?: number;
}

/** What the processes of a group and of those below it use. */
export interface CgroupStats {
  /** CPU time since the group was made. */
  readonly cpuNanos: number;
  readonly memoryUsageBytes: number;
  /** Usage without the file cache that the kernel could drop at once. */
  readonly memoryWorkingSetBytes: number;
  readonly memoryRssBytes: number;
  readonly pids: number;
}

/**
 * Control groups, each named by its path below the hierarchies' roots, as in `/kubepods/burstable/pod1234`.
 */
export interface Cgroups {
  readonly layout: CgroupLayout;
  /** Makes a group (and those above it) and limits it. Fine when it exists. */
  create(path: string, limits: CgroupLimits): Promise<void>;
  /** Changes the limits of a group that exists. */
  limit(path: string, limits: CgroupLimits): Promise<void>;
  /** `undefined` when there is no such group. */
  stats(path: string): Promise<CgroupStats | undefined>;
  /** `undefined` when there is no such group. */
  counters(path: string): Promise<CgroupCounters | undefined>;
  /** How many processes of a group were ended because memory ran out; `undefined` when there is no such group. */
  oomKills(path: string): number | undefined;
  /** Pids of all processes in the group and below it. */
  processes(path: string): Promise<readonly number[]>;
  /** Ends all processes in the group and below it with SIGKILL and waits (at most `timeoutMs`) until they are gone. */
  killAll(path: string, timeoutMs: number): Promise<void>;
  /** Takes the group and all below it away; kills what still runs there. Fine when there is none. */
  remove(path: string): Promise<void>;
  /** Paths of the groups directly below `path`. */
  children(path: string): Promise<readonly string[]>;
}

const hasCode = (error: unknown, ...codes: readonly string[]): boolean =>
  error instanceof Error && "code" in error && codes.includes(String(error.code));

const missing = (error: unknown): boolean => hasCode(error, "ENOENT", "ENODEV");

/** Weight of cgroup v2 (1–10000) for shares of v1 (2–262144), on the straight line that the kubelet and runc use. */
export const cpuWeight = (shares: number): number =>
  Math.floor(1 + ((Math.min(262_144, Math.max(2, shares)) - 2) * 9999) / 262_142);

/** The files to write for some limits, per controller. Pure. */
export function cgroupWrites(
  kind: CgroupLayout["kind"],
  limits: CgroupLimits,
): readonly { readonly controller: string; readonly file: string; readonly value: string }[] {
  const v2 = kind === "v2";
  const writes: { controller: string; file: string; value: string }[] = [];
  const { cpuShares, cpuQuotaUs, memoryLimitBytes, pids } = limits;
  const periodUs = limits.cpuPeriodUs ?? 100_000;
  const orMax = (value: number) => (value < 0 ? "max" : String(value));
  if (cpuShares !== undefined) {
    const shares = Math.max(2, cpuShares);
    writes.push(
      v2
        ? { controller: "cpu", file: "cpu.weight", value: String(cpuWeight(shares)) }
        : { controller: "cpu", file: "cpu.shares", value: String(shares) },
    );
  }
  if (cpuQuotaUs !== undefined) {
    if (v2) writes.push({ controller: "cpu", file: "cpu.max", value: `${orMax(cpuQuotaUs)} ${periodUs}` });
    else {
      writes.push({ controller: "cpu", file: "cpu.cfs_period_us", value: String(periodUs) });
      writes.push({ controller: "cpu", file: "cpu.cfs_quota_us", value: String(cpuQuotaUs) });
    }
  }
  if (memoryLimitBytes !== undefined) {
    writes.push(
      v2
        ? { controller: "memory", file: "memory.max", value: orMax(memoryLimitBytes) }
        : { controller: "memory", file: "memory.limit_in_bytes", value: String(memoryLimitBytes) },
    );
  }
  if (pids !== undefined) writes.push({ controller: "pids", file: "pids.max", value: orMax(pids) });
  return writes;
}

/** Controllers that a pod's group is limited and measured with. */
const podControllers: readonly string[] = ["cpu", "cpuacct", "memory", "pids"];

/** Groups below `folder`, deepest first, then the folder itself. */
async function groupsBelow(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    if (missing(error)) return undefined;
    throw error;
  });
  if (entries === undefined) return [];
  const below: string[] = [];
  for (const entry of entries) if (entry.isDirectory()) below.push(...(await groupsBelow(join(folder, entry.name))));
  return [...below, folder];
}

/** Removes one group; false where something is in it. Fine when there is none. */
function removeGroup(folder: string): boolean {
  try {
    rmdirSync(folder);
    return true;
  } catch (error) {
    if (missing(error)) return true;
    if (hasCode(error, "EBUSY", "ENOTEMPTY")) return false;
    throw error;
  }
}

const numberIn = async (file: string): Promise<number> => Number((await readFile(file, "utf8")).trim());

async function fields(file: string): Promise<ReadonlyMap<string, number>> {
  const lines = (await readFile(file, "utf8")).trim().split("\n");
  return new Map(lines.map((line) => [line.slice(0, line.indexOf(" ")), Number(line.slice(line.indexOf(" ") + 1))]));
}

/**
 * The machine's control groups, through the files of the kernel. Groups are made, limited and removed without a thread's help:
 * no disk is involved, each call takes some ten microseconds, and handing it to a thread costs five times that.
 */
export class SystemCgroups implements Cgroups {
  readonly layout: CgroupLayout;

  constructor(layout: CgroupLayout = detectCgroupLayout()) {
    this.layout = layout;
  }

  async create(path: string, limits: CgroupLimits): Promise<void> {
    for (const root of this.#podRoots()) {
      mkdirSync(join(root, path), { recursive: true });
      if (this.layout.kind === "v2") await this.#delegate(root, path);
    }
    await this.limit(path, limits);
  }

  async limit(path: string, limits: CgroupLimits): Promise<void> {
    for (const { controller, file, value } of cgroupWrites(this.layout.kind, limits)) {
      const root = this.layout.controllers.get(controller);
      if (root !== undefined) writeFileSync(join(root, path, file), value);
    }
  }

  async stats(path: string): Promise<CgroupStats | undefined> {
    try {
      return this.layout.kind === "v2" ? await this.#statsV2(path) : await this.#statsV1(path);
    } catch (error) {
      if (missing(error)) return undefined;
      throw error;
    }
  }

  counters(path: string): Promise<CgroupCounters | undefined> {
    return readCounters(this.layout, path);
  }

  oomKills(path: string): number | undefined {
    return readOomKills(this.layout, path);
  }

  async processes(path: string): Promise<readonly number[]> {
    const pids = new Set<number>();
    for (const root of this.layout.roots) {
      for (const group of await groupsBelow(join(root, path))) {
        const text = await readFile(join(group, "cgroup.procs"), "utf8").catch(() => "");
        for (const line of text.split("\n")) if (line !== "" && line !== "0") pids.add(Number(line));
      }
    }
    return [...pids];
  }

  async killAll(path: string, timeoutMs: number): Promise<void> {
    for (let waitedMs = 0; ; waitedMs += 10) {
      const pids = await this.processes(path);
      if (pids.length === 0 || waitedMs > timeoutMs) return;
      for (const pid of pids) {
        try {
          process.kill(pid, "SIGKILL");
        } catch {
          // It is gone already.
        }
      }
      await delay(10);
    }
  }

  async remove(path: string): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      if (await this.#tryRemove(path)) return;
      if (attempt === 50) throw new Error(`the control group ${path} is still in use`);
      await this.killAll(path, 1000);
      await delay(10);
    }
  }

  async children(path: string): Promise<readonly string[]> {
    const names = new Set<string>();
    for (const root of this.layout.roots) {
      const entries = await readdir(join(root, path), { withFileTypes: true }).catch(() => []);
      for (const entry of entries) if (entry.isDirectory()) names.add(entry.name);
    }
    return [...names].map((name) => join(path, name));
  }

  #podRoots(): readonly string[] {
    const roots = podControllers.map((name) => this.layout.controllers.get(name));
    return [...new Set(roots.filter((root) => root !== undefined))];
  }

  /** v2: a group has only those controllers that all groups above it pass on. */
  async #delegate(root: string, path: string): Promise<void> {
    const wanted = podControllers.concat("cpuset", "io").filter((name) => this.layout.controllers.has(name));
    const above: string[] = [];
    for (let folder = dirname(join(root, path)); folder.startsWith(root); folder = dirname(folder)) {
      above.unshift(folder);
      if (folder === root) break;
    }
    for (const folder of above) {
      const file = join(folder, "cgroup.subtree_control");
      const has = (await readFile(file, "utf8")).trim().split(/\s+/);
      for (const name of wanted) if (!has.includes(name)) await writeFile(file, `+${name}`).catch(() => {});
    }
  }

  /** False when a group could not be removed because something still runs in it. */
  async #tryRemove(path: string): Promise<boolean> {
    let removed = true;
    for (const root of this.layout.roots) {
      const group = join(root, path);
      if (removeGroup(group)) continue;
      // There are groups below, or processes.
      for (const below of await groupsBelow(group)) if (!removeGroup(below)) removed = false;
    }
    return removed;
  }

  #file(controller: string, path: string, name: string): string {
    return join(this.layout.controllers.get(controller) ?? "/sys/fs/cgroup", path, name);
  }

  async #statsV1(path: string): Promise<CgroupStats> {
    const [cpuNanos, memoryUsageBytes, memory, pids] = await Promise.all([
      numberIn(this.#file("cpuacct", path, "cpuacct.usage")),
      numberIn(this.#file("memory", path, "memory.usage_in_bytes")),
      fields(this.#file("memory", path, "memory.stat")),
      numberIn(this.#file("pids", path, "pids.current")),
    ]);
    const inactive = memory.get("total_inactive_file") ?? 0;
    const memoryWorkingSetBytes = Math.max(0, memoryUsageBytes - inactive);
    const memoryRssBytes = memory.get("total_rss") ?? 0;
    return { cpuNanos, memoryUsageBytes, memoryWorkingSetBytes, memoryRssBytes, pids };
  }

  async #statsV2(path: string): Promise<CgroupStats> {
    const [cpu, memoryUsageBytes, memory, pids] = await Promise.all([
      fields(this.#file("cpu", path, "cpu.stat")),
      numberIn(this.#file("memory", path, "memory.current")),
      fields(this.#file("memory", path, "memory.stat")),
      numberIn(this.#file("pids", path, "pids.current")),
    ]);
    const inactive = memory.get("inactive_file") ?? 0;
    const memoryWorkingSetBytes = Math.max(0, memoryUsageBytes - inactive);
    const memoryRssBytes = memory.get("anon") ?? 0;
    const cpuNanos = (cpu.get("usage_usec") ?? 0) * 1000;
    return { cpuNanos, memoryUsageBytes, memoryWorkingSetBytes, memoryRssBytes, pids };
  }
}
