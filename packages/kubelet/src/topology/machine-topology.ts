import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseCpuSet } from "./cpu-set.ts";
import type { NumaNodes } from "./policy.ts";

/** One logical CPU and where it sits. Cores are numbered across the machine: those of two sockets differ. */
export interface CpuPlace {
  readonly cpu: number;
  readonly core: number;
  readonly socket: number;
  readonly numa: number;
  /** CPUs with the same number share their last cache. */
  readonly cache: number;
}

/** What the memory of a NUMA node is, in bytes: all of it, and huge pages by their size (`2Mi`). */
export interface NumaMemory {
  readonly node: number;
  readonly bytes: number;
  readonly hugePages: Readonly<Record<string, number>>;
}

/** Which parts of a machine are near to each other. */
export interface MachineTopology {
  readonly cpus: readonly CpuPlace[];
  readonly numa: NumaNodes;
  readonly memory: readonly NumaMemory[];
}

const text = (path: string): Promise<string> => readFile(path, "utf8").then((all) => all.trim());
const number = async (path: string): Promise<number | undefined> => {
  const value = Number(await text(path).catch(() => "x"));
  return Number.isInteger(value) ? value : undefined;
};
const numbered = async (folder: string, prefix: string): Promise<number[]> =>
  (await readdir(folder).catch(() => []))
    .flatMap((name) =>
      name.startsWith(prefix) && /^\d+$/.test(name.slice(prefix.length)) ? [Number(name.slice(prefix.length))] : [],
    )
    .sort((a, b) => a - b);

/** Reads it from `/sys/devices/system`. A machine that does not tell is one node with one socket, each CPU a core. */
export async function readMachineTopology(sys = "/sys/devices/system"): Promise<MachineTopology> {
  const nodeFolder = join(sys, "node");
  const found = await numbered(nodeFolder, "node");
  const nodes = found.length === 0 ? [0] : found;
  const cpusOf = new Map<number, number>();
  for (const node of found)
    for (const cpu of parseCpuSet(await text(join(nodeFolder, `node${node}`, "cpulist")).catch(() => "")))
      cpusOf.set(cpu, node);
  const distances = await Promise.all(
    nodes.map(async (node) =>
      (await text(join(nodeFolder, `node${node}`, "distance")).catch(() => "10")).split(/\s+/).map(Number),
    ),
  );
  const online = parseCpuSet(await text(join(sys, "cpu/online")).catch(() => "0"));
  const cpus = await Promise.all(
    online.map((cpu) => readCpu(join(sys, "cpu", `cpu${cpu}`), cpu, cpusOf.get(cpu) ?? 0)),
  );
  const memory = await Promise.all(nodes.map((node) => readMemory(join(nodeFolder, `node${node}`), node)));
  return { cpus, numa: { nodes, distances }, memory };
}

async function readCpu(folder: string, cpu: number, numa: number): Promise<CpuPlace> {
  // A core is known by the first of its CPUs, which no other core has.
  const [core = cpu] = parseCpuSet(await text(join(folder, "topology/core_cpus_list")).catch(() => ""));
  const [cache = numa] = parseCpuSet(await text(join(folder, "cache/index3/shared_cpu_list")).catch(() => ""));
  const socket = (await number(join(folder, "topology/physical_package_id"))) ?? 0;
  return { cpu, core, socket: Math.max(0, socket), numa, cache };
}

async function readMemory(folder: string, node: number): Promise<NumaMemory> {
  const info = await text(join(folder, "meminfo")).catch(() => "");
  const bytes = Number(/MemTotal:\s+(\d+) kB/.exec(info)?.[1] ?? 0) * 1024;
  const hugePages: Record<string, number> = {};
  for (const name of await readdir(join(folder, "hugepages")).catch(() => [])) {
    const kilobytes = Number(/^hugepages-(\d+)kB$/.exec(name)?.[1] ?? 0);
    const count = (await number(join(folder, "hugepages", name, "nr_hugepages"))) ?? 0;
    if (kilobytes > 0) hugePages[pageSize(kilobytes)] = count * kilobytes * 1024;
  }
  return { node, bytes, hugePages };
}

const pageSize = (kilobytes: number): string =>
  kilobytes % 2 ** 20 === 0
    ? `${kilobytes / 2 ** 20}Gi`
    : kilobytes % 1024 === 0
      ? `${kilobytes / 1024}Mi`
      : `${kilobytes}Ki`;
