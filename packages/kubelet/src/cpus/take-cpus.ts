import { type CpuSet, common, cpuSet, without } from "../topology/cpu-set.ts";
import type { CpuPlace } from "../topology/machine-topology.ts";

type Level = "core" | "socket" | "numa";

/** CPUs by the part of the machine that they are in. */
function groups(cpus: readonly CpuPlace[], level: Level): ReadonlyMap<number, CpuSet> {
  const found = new Map<number, number[]>();
  for (const place of cpus) found.set(place[level], [...(found.get(place[level]) ?? []), place.cpu]);
  return new Map([...found].map(([id, members]) => [id, cpuSet(members)]));
}

/** So many CPUs share a core. */
export const cpusPerCore = (cpus: readonly CpuPlace[]): number =>
  Math.max(1, Math.floor(cpus.length / Math.max(1, groups(cpus, "core").size)));

/** Of the given CPUs those whose whole core is among them. */
export const wholeCores = (cpus: readonly CpuPlace[], free: CpuSet): CpuSet =>
  cpuSet([...groups(cpus, "core").values()].filter((core) => without(core, free).length === 0).flat());

/**
 * Takes CPUs that are near together: whole sockets and NUMA nodes as far as they are needed whole, then whole cores, then
 * single threads. Where there is a choice, what is used most is filled up first. `undefined`: there are not so many.
 */
export function takeCpus(cpus: readonly CpuPlace[], free: CpuSet, count: number): CpuSet | undefined {
  if (count > free.length) return undefined;
  if (count === free.length) return cpuSet(free);
  const [sockets, nodes] = [groups(cpus, "socket"), groups(cpus, "numa")];
  // Whichever is the larger part comes first.
  const levels: readonly Level[] = nodes.size > sockets.size ? ["socket", "numa"] : ["numa", "socket"];
  let left: CpuSet = free;
  let taken: CpuSet = [];
  const take = (some: CpuSet) => {
    taken = cpuSet([...taken, ...some]);
    left = without(left, some);
  };
  for (const level of levels) {
    for (const whole of fullest(groups(cpus, level), left).filter((part) => without(part.all, left).length === 0))
      if (whole.all.length <= count - taken.length) take(whole.all);
  }
  for (const core of ordered(cpus, left, levels).filter(({ all }) => without(all, left).length === 0))
    if (core.all.length <= count - taken.length) take(core.all);
  for (const { free: threads } of ordered(cpus, left, levels))
    for (const thread of threads) if (taken.length < count) take([thread]);
  return taken;
}

interface Part {
  readonly all: CpuSet;
  readonly free: CpuSet;
}

/** Parts that have free CPUs, those with the fewest first. */
const fullest = (parts: ReadonlyMap<number, CpuSet>, free: CpuSet): readonly Part[] =>
  [...parts]
    .map(([id, all]) => ({ id, all, free: common(all, free) }))
    .filter((part) => part.free.length > 0)
    .sort((a, b) => a.free.length - b.free.length || a.id - b.id);

/** Cores with free CPUs: of the fullest larger part first, and there the fullest first. */
function ordered(cpus: readonly CpuPlace[], free: CpuSet, [larger, smaller]: readonly Level[]): readonly Part[] {
  const inside = (level: Level | undefined, within: readonly CpuPlace[]): readonly (readonly CpuPlace[])[] =>
    level === undefined
      ? [within]
      : fullest(groups(within, level), free).map(({ all }) => within.filter(({ cpu }) => all.includes(cpu)));
  return inside(larger, cpus)
    .flatMap((part) => inside(smaller, part))
    .flatMap((part) => fullest(groups(part, "core"), free));
}
