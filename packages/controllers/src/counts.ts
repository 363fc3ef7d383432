/** Kubernetes leaves counts of zero out of most statuses. */
export const unlessZero = (count: number): number | undefined => (count === 0 ? undefined : count);

export const sum = <T>(items: readonly T[], of: (item: T) => number): number =>
  items.reduce((total, item) => total + of(item), 0);
