import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { CgroupLayout } from "./cgroup-layout.ts";

/** What a control group has done since it was made, and what its memory is. */
export interface CgroupCounters {
  /** Periods of the CPU quota, those of them in which it was used up, and the time spent waiting for the next. */
  readonly cpuPeriods: number;
  readonly cpuThrottledPeriods: number;
  readonly cpuThrottledNanos: number;
  /** Memory that holds files. */
  readonly cacheBytes: number;
  readonly mappedFileBytes: number;
  readonly swapBytes: number;
  readonly pageFaults: number;
  readonly majorPageFaults: number;
  readonly oomKills: number;
  readonly disk: DiskCounters;
}

export interface DiskCounters {
  readonly reads: number;
  readonly writes: number;
  readonly readBytes: number;
  readonly writtenBytes: number;
}

type Fields = ReadonlyMap<string, number>;

/** Lines of `NAME NUMBER`. */
export function parseFields(text: string): Fields {
  const pairs = text.split("\n").map((line) => line.split(" "));
  return new Map(
    pairs.flatMap(([name = "", value]): [string, number][] => (value === undefined ? [] : [[name, Number(value)]])),
  );
}

/** `io.stat` of cgroup v2: `8:0 rbytes=1 wbytes=2 rios=3 wios=4 …` a device. */
export function parseIoStat(text: string): DiskCounters {
  const sum = (name: string) =>
    [...text.matchAll(new RegExp(`\\b${name}=(\\d+)`, "g"))].reduce((all, [, n]) => all + Number(n), 0);
  return { reads: sum("rios"), writes: sum("wios"), readBytes: sum("rbytes"), writtenBytes: sum("wbytes") };
}

/** Sum of `8:0 Read 4096` over devices, of cgroup v1's blkio files. */
export const parseBlkio = (text: string, operation: "Read" | "Write"): number =>
  [...text.matchAll(new RegExp(`^\\d+:\\d+ ${operation} (\\d+)$`, "gm"))].reduce((all, [, n]) => all + Number(n), 0);

const oomFile = ({ kind }: CgroupLayout): string => (kind === "v2" ? "memory.events" : "memory.oom_control");

/** Reads them; what the kernel does not count is 0. `undefined` when there is no such group. */
export async function readCounters(layout: CgroupLayout, path: string): Promise<CgroupCounters | undefined> {
  const text = (controller: string, file: string): Promise<string> => {
    const root = layout.controllers.get(controller);
    return root === undefined ? Promise.resolve("") : readFile(join(root, path, file), "utf8").catch(() => "");
  };
  const isV2 = layout.kind === "v2";
  const memory = parseFields(await text("memory", "memory.stat"));
  if (memory.size === 0) return undefined;
  const cpu = parseFields(await text("cpu", "cpu.stat"));
  const events = parseFields(await text("memory", oomFile(layout)));
  const of = (fields: Fields, name: string) => fields.get(name) ?? 0;
  const inAll = (name: string) => of(memory, isV2 ? name : `total_${name}`);
  return {
    cpuPeriods: of(cpu, "nr_periods"),
    cpuThrottledPeriods: of(cpu, "nr_throttled"),
    cpuThrottledNanos: isV2 ? of(cpu, "throttled_usec") * 1000 : of(cpu, "throttled_time"),
    cacheBytes: isV2 ? of(memory, "file") : inAll("cache"),
    mappedFileBytes: isV2 ? of(memory, "file_mapped") : inAll("mapped_file"),
    swapBytes: isV2 ? Number((await text("memory", "memory.swap.current")) || 0) : inAll("swap"),
    pageFaults: inAll("pgfault"),
    majorPageFaults: inAll("pgmajfault"),
    oomKills: of(events, "oom_kill"),
    disk: isV2 ? parseIoStat(await text("io", "io.stat")) : await diskV1(text),
  };
}

/** How many processes of a group were ended because memory ran out. `undefined` when there is no such group. */
export function readOomKills(layout: CgroupLayout, path: string): number | undefined {
  const root = layout.controllers.get("memory");
  if (root === undefined) return undefined;
  try {
    // At once: soon after its last process has ended, a container's group is removed.
    return parseFields(readFileSync(join(root, path, oomFile(layout)), "utf8")).get("oom_kill");
  } catch {
    return undefined;
  }
}

async function diskV1(text: (controller: string, file: string) => Promise<string>): Promise<DiskCounters> {
  const [bytes, times] = await Promise.all([
    text("blkio", "blkio.throttle.io_service_bytes_recursive"),
    text("blkio", "blkio.throttle.io_serviced_recursive"),
  ]);
  return {
    reads: parseBlkio(times, "Read"),
    writes: parseBlkio(times, "Write"),
    readBytes: parseBlkio(bytes, "Read"),
    writtenBytes: parseBlkio(bytes, "Write"),
  };
}
