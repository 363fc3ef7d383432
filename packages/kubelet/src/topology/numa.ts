/**
 * Sets of NUMA nodes as bits of a number: node 0 is bit 0. The topology of more than 31 nodes is not looked at.
 */
export type NumaSet = number;

/** As many nodes as a set can hold. */
export const mostNumaNodes = 31;

export const numaSet = (nodes: Iterable<number>): NumaSet => {
  let set = 0;
  for (const node of nodes) set |= 1 << node;
  return set;
};

export const numaNodes = (set: NumaSet): number[] => {
  const nodes: number[] = [];
  for (let node = 0; node < mostNumaNodes; node++) if ((set & (1 << node)) !== 0) nodes.push(node);
  return nodes;
};

export const numaCount = (set: NumaSet): number => numaNodes(set).length;

/** The one with fewer nodes; of two with as many, the one with lower numbers. */
export const isNarrower = (a: NumaSet, b: NumaSet): boolean => {
  const [left, right] = [numaCount(a), numaCount(b)];
  return left === right ? a < b : left < right;
};

/** All sets of the given nodes but the empty one, the smaller first, each size in the order of their numbers. */
export function numaSubsets(nodes: readonly number[]): NumaSet[] {
  const all: NumaSet[] = [];
  for (let pick = 1; pick < 2 ** nodes.length; pick++)
    all.push(numaSet(nodes.filter((_, at) => (pick & (1 << at)) !== 0)));
  return all.sort((a, b) => numaCount(a) - numaCount(b) || a - b);
}

/** Where a resource of a container could come from, and whether that is as near together as it can be. */
export interface NumaHint {
  /** Absent: anywhere. */
  readonly nodes?: NumaSet;
  readonly preferred: boolean;
}

/** By resource. Absent: it does not matter where it comes from; an empty list: it cannot be had. */
export type NumaHints = ReadonlyMap<string, readonly NumaHint[] | undefined>;
