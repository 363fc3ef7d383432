import { type NumaHint, type NumaSet, numaCount, numaNodes, numaSet, numaSubsets } from "../topology/numa.ts";
import type { MemoryBlock } from "./memory-state.ts";

/** Bytes of each NUMA node that containers could have, by sort of memory. */
export type NumaCapacity = ReadonlyMap<number, Readonly<Record<string, number>>>;

/** Bytes of each node that nobody has. What was given of several nodes is taken of the first that have it. */
function freeOf(capacity: NumaCapacity, blocks: readonly MemoryBlock[], type: string): ReadonlyMap<number, number> {
  const free = new Map([...capacity].map(([node, sorts]) => [node, sorts[type] ?? 0] as const));
  for (const block of blocks.filter((one) => one.type === type)) {
    let left = block.bytes;
    for (const node of numaNodes(block.nodes)) {
      const taken = Math.min(left, free.get(node) ?? 0);
      free.set(node, (free.get(node) ?? 0) - taken);
      left -= taken;
    }
  }
  return free;
}

/** A node whose memory was given together with others' is given with just these again: else one could take what another was promised. */
const disagrees = (set: NumaSet, blocks: readonly MemoryBlock[]): boolean =>
  blocks.some(({ nodes }) => (nodes & set) !== 0 && nodes !== set && (numaCount(nodes) > 1 || numaCount(set) > 1));

const sum = (amounts: ReadonlyMap<number, number>, set: NumaSet): number =>
  numaNodes(set).reduce((total, node) => total + (amounts.get(node) ?? 0), 0);

/** Where what a container asks for, of all sorts together, could come from. */
export function memoryHints(
  capacity: NumaCapacity,
  blocks: readonly MemoryBlock[],
  wanted: Readonly<Record<string, number>>,
): readonly NumaHint[] {
  const nodes = [...capacity.keys()];
  const sorts = Object.entries(wanted);
  const total = (type: string) => new Map([...capacity].map(([node, amounts]) => [node, amounts[type] ?? 0] as const));
  const free = new Map(sorts.map(([type]) => [type, freeOf(capacity, blocks, type)] as const));
  let least = nodes.length;
  const found: NumaSet[] = [];
  for (const set of numaSubsets(nodes)) {
    if (!sorts.every(([type, bytes]) => sum(total(type), set) >= bytes)) continue;
    least = Math.min(least, numaCount(set));
    if (disagrees(set, blocks)) continue;
    if (sorts.every(([type, bytes]) => sum(free.get(type) ?? new Map(), set) >= bytes)) found.push(set);
  }
  return found.map((set) => ({ nodes: set, preferred: numaCount(set) === least }));
}

/** The nodes to take it from: those of `affinity`, or the fewest that have it, with these among them. Throws where none have. */
export function chooseMemory(
  capacity: NumaCapacity,
  blocks: readonly MemoryBlock[],
  wanted: Readonly<Record<string, number>>,
  affinity: NumaSet | undefined,
): NumaSet {
  const sets = memoryHints(capacity, blocks, wanted).map(({ nodes = numaSet(capacity.keys()) }) => nodes);
  const chosen =
    affinity === undefined
      ? sets[0]
      : (sets.find((set) => set === affinity) ?? sets.find((set) => (set & affinity) === affinity));
  if (chosen !== undefined) return chosen;
  throw new Error(
    affinity === undefined
      ? "[memorymanager] failed to get the default NUMA affinity, no NUMA nodes with enough memory is available"
      : "[memorymanager] failed to find NUMA nodes to extend the current topology hint",
  );
}
