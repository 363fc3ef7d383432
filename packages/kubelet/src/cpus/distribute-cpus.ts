/**
 * CPUs of several NUMA nodes, where one has not enough: as many of each, so that none of the container's threads is worse off than the
 * others. Of all sets of nodes of the smallest size that can give as many each, that one is taken which leaves the machine most even.
 * https://kubernetes.io/docs/concepts/policy/node-resource-managers/#distribute-cpus-across-numa
 */
import { type CpuSet, cpuSet, union, without } from "../topology/cpu-set.ts";
import type { CpuPlace } from "../topology/machine-topology.ts";
import { takeCpus } from "./take-cpus.ts";

/** How many of each of the chosen nodes, and which of them give the rest, a group each in turn. */
interface Share {
  readonly nodes: readonly number[];
  readonly each: number;
  readonly rest: readonly number[];
  /** How uneven the machine is afterwards. */
  readonly unevenness: number;
}

/** As `takeCpus`, in groups of so many (the threads of a core, or 1). */
export function distributeCpus(
  cpus: readonly CpuPlace[],
  free: CpuSet,
  { count, group }: { readonly count: number; readonly group: number },
): CpuSet | undefined {
  if (count > free.length) return undefined;
  if (count === 0) return [];
  const share = count % group === 0 ? bestShare(cpus, free, { count, group }) : undefined;
  if (share === undefined) return takeCpus(cpus, free, count);
  let taken: CpuSet = [];
  const takeOf = (node: number, some: number) => {
    const more = takeCpus(cpus, without(freeOn(cpus, free, node), taken), some);
    taken = union(taken, more ?? []);
    return more !== undefined;
  };
  for (const node of share.nodes) takeOf(node, share.each);
  for (let at = 0; taken.length < count; at++) takeOf(share.rest[at % share.rest.length] ?? -1, group);
  return taken;
}

const freeOn = (cpus: readonly CpuPlace[], free: CpuSet, node: number): CpuSet =>
  cpuSet(cpus.filter(({ cpu, numa }) => numa === node && free.includes(cpu)).map(({ cpu }) => cpu));

function bestShare(
  cpus: readonly CpuPlace[],
  free: CpuSet,
  wanted: { readonly count: number; readonly group: number },
): Share | undefined {
  const { count, group } = wanted;
  const all = new Set(cpus.map(({ numa }) => numa));
  const amounts = new Map(
    [...all]
      .map((node) => [node, freeOn(cpus, free, node).length] as const)
      .filter(([, amount]) => amount > 0)
      .sort(([a, few], [b, many]) => few - many || a - b),
  );
  const groups = Math.ceil(count / group);
  const fewest = Math.ceil(groups / Math.ceil(Math.ceil(cpus.length / group) / all.size));
  for (let size = fewest; size <= Math.min(groups, amounts.size); size++) {
    let best: Share | undefined;
    for (const nodes of choices([...amounts.keys()], size)) {
      const share = shareOf(nodes, amounts, wanted);
      if (share !== undefined && (best === undefined || share.unevenness < best.unevenness)) best = share;
      if (best?.unevenness === 0) break;
    }
    if (best !== undefined) return best;
  }
  return undefined;
}

/** What each of these nodes would give; `undefined`: they have not enough. */
function shareOf(
  nodes: readonly number[],
  amounts: ReadonlyMap<number, number>,
  { count, group }: { readonly count: number; readonly group: number },
): Share | undefined {
  const each = Math.floor(count / nodes.length / group) * group;
  const has = (node: number) => amounts.get(node) ?? 0;
  const inGroups = nodes.reduce((sum, node) => sum + Math.floor(has(node) / group) * group, 0);
  if (inGroups < count || nodes.some((node) => has(node) < each)) return undefined;
  const left = new Map([...amounts].map(([node, amount]) => [node, amount - (nodes.includes(node) ? each : 0)]));
  const rest = count - each * nodes.length;
  if (rest === 0) return { nodes, each, rest: [], unevenness: deviation([...left.values()]) };
  const givers = nodes.filter((node) => (left.get(node) ?? 0) >= group);
  let best: Share | undefined;
  // Of as many nodes as can be first.
  for (let size = givers.length; size >= 1; size--) {
    for (const some of choices(givers, size)) {
      const after = afterRest(left, some, { rest, group });
      if (after === undefined) continue;
      const unevenness = deviation([...after.values()]);
      if (best === undefined || unevenness < best.unevenness) best = { nodes, each, rest: some, unevenness };
    }
  }
  return best;
}

/** What is left when the rest was taken of the given nodes, a group of each in turn. */
function afterRest(
  left: ReadonlyMap<number, number>,
  givers: readonly number[],
  { rest, group }: { readonly rest: number; readonly group: number },
): ReadonlyMap<number, number> | undefined {
  const after = new Map(left);
  for (let missing = rest; missing > 0; ) {
    const before = missing;
    for (const node of givers) {
      const amount = after.get(node) ?? 0;
      if (missing === 0 || amount < group) continue;
      after.set(node, amount - group);
      missing -= group;
    }
    if (missing === before) return undefined;
  }
  return after;
}

/** All ways to choose so many, in the order of the list. */
function* choices(list: readonly number[], size: number): Generator<readonly number[]> {
  if (size === 0) return yield [];
  for (const [at, first] of list.entries()) {
    for (const others of choices(list.slice(at + 1), size - 1)) yield [first, ...others];
  }
}

const rounded = (value: number): number => Math.round(value * 1000) / 1000;

function deviation(amounts: readonly number[]): number {
  const mean = rounded(amounts.reduce((sum, one) => sum + one, 0) / amounts.length);
  return rounded(Math.sqrt(amounts.reduce((sum, one) => sum + (one - mean) ** 2, 0) / amounts.length));
}
