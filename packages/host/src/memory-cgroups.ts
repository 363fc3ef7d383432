import type { CgroupLayout } from "./cgroup-layout.ts";
import type { CgroupLimits, CgroupStats, Cgroups } from "./cgroups.ts";
import { isWithin } from "./mounts.ts";

/** Control groups in memory, for tests: remembers each group's limits. */
export class MemoryCgroups implements Cgroups {
  readonly layout: CgroupLayout = { kind: "v2", controllers: new Map(), roots: ["/sys/fs/cgroup"] };
  readonly groups = new Map<string, CgroupLimits>();
  /** What `stats` gives, per path. */
  readonly usage = new Map<string, CgroupStats>();

  async create(path: string, limits: CgroupLimits): Promise<void> {
    this.groups.set(path, { ...this.groups.get(path), ...limits });
  }
  async limit(path: string, limits: CgroupLimits): Promise<void> {
    if (!this.groups.has(path)) throw new Error(`there is no control group ${path}`);
    await this.create(path, limits);
  }
  async stats(path: string): Promise<CgroupStats | undefined> {
    return this.usage.get(path);
  }
  async counters(): Promise<undefined> {
    return undefined;
  }
  oomKills(path: string): number | undefined {
    return this.groups.has(path) ? 0 : undefined;
  }
  async processes(): Promise<readonly number[]> {
    return [];
  }
  async killAll(): Promise<void> {}
  async remove(path: string): Promise<void> {
    for (const one of [...this.groups.keys()]) if (isWithin(one, path)) this.groups.delete(one);
  }
  async children(path: string): Promise<readonly string[]> {
    const prefix = path.endsWith("/") ? path : `${path}/`;
    const below = [...this.groups.keys()].filter((one) => one.startsWith(prefix));
    return [...new Set(below.map((one) => prefix + one.slice(prefix.length).split("/")[0]))];
  }
}
