/** How one resource of a node stands: what it has, what is taken of it, and what will be with the pod. */
export interface Allocation {
  /** 0: the resource does not count on this node. */
  readonly capacity: number;
  readonly before: number;
  readonly after: number;
  /** How much it counts beside others. */
  readonly weight: number;
}

/** How good a node is by its resources, 0 to 100. */
export type ResourceScorer = (allocations: readonly Allocation[]) => number;

/** A curve of straight lines: what a utilization of 0 to 100 is worth, 0 to 10. Sorted by utilization. */
export type Shape = readonly { readonly utilization: number; readonly score: number }[];

const mean = (allocations: readonly Allocation[], worth: (allocation: Allocation) => number): number => {
  let [sum, weights] = [0, 0];
  for (const allocation of allocations) {
    if (allocation.capacity === 0) continue;
    sum += worth(allocation) * allocation.weight;
    weights += allocation.weight;
  }
  return weights === 0 ? 0 : Math.trunc(sum / weights);
};

/** The more is left free, the better. */
export const leastAllocated: ResourceScorer = (allocations) =>
  mean(allocations, ({ capacity, after }) =>
    after > capacity ? 0 : Math.trunc(((capacity - after) * 100) / capacity),
  );

/** The less is left free, the better. */
export const mostAllocated: ResourceScorer = (allocations) =>
  mean(allocations, ({ capacity, after }) => Math.trunc((Math.min(after, capacity) * 100) / capacity));

/** By a curve of one's own. Resources that are worth nothing do not count. */
export function requestedToCapacityRatio(shape: Shape): ResourceScorer {
  const points = shape.map(({ utilization, score }) => ({ utilization, score: score * 10 }));
  return (allocations) => {
    let [sum, weights] = [0, 0];
    for (const { capacity, after, weight } of allocations) {
      if (capacity === 0) continue;
      const worth = at(points, after > capacity ? 100 : Math.trunc((after * 100) / capacity));
      if (worth <= 0) continue;
      sum += worth * weight;
      weights += weight;
    }
    return weights === 0 ? 0 : Math.round(sum / weights);
  };
}

function at(points: Shape, utilization: number): number {
  const next = points.findIndex((point) => utilization <= point.utilization);
  const [from, to] = [points[next - 1], points[next]];
  if (to === undefined) return points.at(-1)?.score ?? 0;
  if (from === undefined) return to.score;
  const slope = (to.score - from.score) * (utilization - from.utilization);
  return from.score + Math.trunc(slope / (to.utilization - from.utilization));
}

/**
 * Whether resources are used to a like degree with the pod more than they are without: 75 where that stays the same, at least 50,
 * 100 where a node that was used as unevenly as can be is used evenly then.
 */
export const balancedAllocation: ResourceScorer = (allocations) => {
  const withPod = balance(allocations.map(({ capacity, after }) => ({ capacity, used: after })));
  const without = balance(allocations.map(({ capacity, before }) => ({ capacity, used: before })));
  return 50 + Math.trunc((50 + withPod - without) / 2);
};

function balance(uses: readonly { readonly capacity: number; readonly used: number }[]): number {
  const fractions = uses
    .filter(({ capacity }) => capacity > 0)
    .map(({ capacity, used }) => Math.min(1, used / capacity));
  return Math.trunc((1 - deviation(fractions)) * 100);
}

function deviation(fractions: readonly number[]): number {
  const [first = 0, second = 0] = fractions;
  if (fractions.length < 2) return 0;
  if (fractions.length === 2) return Math.abs((first - second) / 2);
  const average = fractions.reduce((sum, one) => sum + one, 0) / fractions.length;
  return Math.sqrt(fractions.reduce((sum, one) => sum + (one - average) ** 2, 0) / fractions.length);
}
