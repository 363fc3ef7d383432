import { type CpuSet, common, cpuSet, without } from "../topology/cpu-set.ts";
import type { CpuPlace } from "../topology/machine-topology.ts";

type Level = "core" | "cache" | "socket" | "numa";

/** How CPUs are taken that a container gets. */
export interface TakeOptions {
  /** Threads of other cores rather than those of one. */
  readonly acrossCores?: boolean;
  /** Of as few last caches as can be. */
  readonly byCache?: boolean;
}

/** CPUs by the part of the machine that they are in. */
function groups(cpus: readonly CpuPlace[], level: Level): ReadonlyMap<number, CpuSet> {
  const found = new Map<number, number[]>();
  for (const place of cpus) found.set(place[level], [...(found.get(place[level]) ?? []), place.cpu]);
  return new Map([...found].map(([id, members]) => [id, cpuSet(members)]));
}

const perPart = (cpus: readonly CpuPlace[], level: Level): number =>
  Math.max(1, Math.floor(cpus.length / Math.max(1, groups(cpus, level).size)));

/** So many CPUs share a core. */
export const cpusPerCore = (cpus: readonly CpuPlace[]): number => perPart(cpus, "core");

/** Of the given CPUs those whose whole core is among them. */
export const wholeCores = (cpus: readonly CpuPlace[], free: CpuSet): CpuSet =>
  cpuSet([...groups(cpus, "core").values()].filter((core) => without(core, free).length === 0).flat());

/** Whichever is the larger part of a machine comes first: sockets, or NUMA nodes. */
export const largerFirst = (cpus: readonly CpuPlace[]): readonly Level[] =>
  groups(cpus, "numa").size > groups(cpus, "socket").size ? ["socket", "numa"] : ["numa", "socket"];

/**
 * Takes CPUs that are near together: whole sockets and NUMA nodes as far as they are needed whole, then whole cores, then
 * single threads. Where there is a choice, what is used most is filled up first. `undefined`: there are not so many.
 */
export function takeCpus(
  cpus: readonly CpuPlace[],
  free: CpuSet,
  count: number,
  { acrossCores = false, byCache = false }: TakeOptions = {},
): CpuSet | undefined {
  if (count > free.length) return undefined;
  if (count === free.length) return cpuSet(free);
  const taking = new Taking(cpus, free, count);
  for (const level of largerFirst(cpus)) taking.takeWhole(taking.inOrder(level));
  if (byCache) taking.takeCaches();
  if (acrossCores) {
    for (const { free: threads } of taking.inOrder("socket")) taking.takeSingle(threads);
    return taking.taken;
  }
  taking.takeWhole(taking.inOrder("core"));
  for (const { free: threads } of taking.inOrder("core")) taking.takeSingle(threads);
  return taking.taken;
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

/** CPUs as they are taken one step after the other. */
class Taking {
  readonly #cpus: readonly CpuPlace[];
  readonly #count: number;
  #left: CpuSet;
  taken: CpuSet = [];

  constructor(cpus: readonly CpuPlace[], free: CpuSet, count: number) {
    this.#cpus = cpus;
    this.#count = count;
    this.#left = free;
  }

  get #needed(): number {
    return this.#count - this.taken.length;
  }

  #take(some: CpuSet): void {
    this.taken = cpuSet([...this.taken, ...some]);
    this.#left = without(this.#left, some);
  }

  /** Parts with free CPUs: those of the fullest larger part first, and there the fullest first. */
  inOrder(level: Level): readonly Part[] {
    const order = largerFirst(this.#cpus);
    const above = order.includes(level) ? order.slice(0, order.indexOf(level)) : order;
    let within: readonly (readonly CpuPlace[])[] = [this.#cpus];
    for (const larger of above) {
      within = within.flatMap((part) =>
        fullest(groups(part, larger), this.#left).map(({ all }) => part.filter(({ cpu }) => all.includes(cpu))),
      );
    }
    return within.flatMap((part) => fullest(groups(part, level), this.#left));
  }

  /** Parts that are free as a whole and needed as a whole. */
  takeWhole(parts: readonly Part[]): void {
    for (const { all } of parts)
      if (all.length <= this.#needed && without(all, this.#left).length === 0) this.#take(all);
  }

  takeSingle(threads: CpuSet): void {
    for (const thread of threads) if (this.#needed > 0) this.#take([thread]);
  }

  /** Whole caches, then what is still needed of one that has as many free: whole cores of it, the last perhaps by half. */
  takeCaches(): void {
    const usual = perPart(this.#cpus, "cache");
    const each = cpusPerCore(this.#cpus);
    for (const { all } of this.inOrder("cache")) {
      if (this.#needed >= usual) this.takeWhole(this.inOrder("cache"));
      if (this.#needed === 0) break;
      const inside = this.#cpus.filter(({ cpu }) => all.includes(cpu) && this.#left.includes(cpu));
      const cores = [...groups(inside, "core")].sort(([a], [b]) => a - b).slice(0, Math.ceil(this.#needed / each));
      const some = cpuSet(cores.flatMap(([, members]) => members));
      const odd = this.#needed % 2 !== 0 && each > 1 && some.length > this.#needed;
      const fitting = odd ? some.slice(0, -1) : some;
      if (fitting.length === this.#needed) this.#take(fitting);
    }
  }
}
