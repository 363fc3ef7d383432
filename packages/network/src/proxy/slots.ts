/**
 * How endpoints are spread. The kernel picks one of M slots by chance, and M is written into a rule, so there is a fixed
 * set of rules, one for each M of the list below: every number up to 16, then powers of two. A Service with more than 16
 * endpoints fills the next power of two, some endpoints standing in one slot more than others (an uneven share of at most
 * two to one). The number of rules thus never depends on how many Services or endpoints there are.
 */
export const slotCounts: readonly number[] = [
  ...Array.from({ length: 16 }, (_, index) => index + 1),
  32,
  64,
  128,
  256,
  512,
  1024,
];

const mostSlots = 1024;

/** Where the slots of a Service's endpoints on this node begin: they stand in the same map as those of all its endpoints. */
export const localSlotOffset = 4096;

/** The smallest count of slots that holds so many endpoints; the largest one for more than that. */
export function slotCountFor(endpoints: number): number {
  return slotCounts.find((count) => count >= endpoints) ?? mostSlots;
}

/**
 * The endpoints in an order that leaves as many as possible where they were: `["a", "c"]` after `["a", "b", "c"]` stays
 * `a` first and puts `c` into `b`'s place. So one endpoint more or less moves one or two elements, not all behind it.
 */
export function keepPlaces(endpoints: readonly string[], before: readonly string[]): readonly string[] {
  const wanted = new Set(endpoints);
  const places: (string | undefined)[] = endpoints.map((_, index) => {
    const kept = before[index];
    return kept !== undefined && wanted.delete(kept) ? kept : undefined;
  });
  const others = [...wanted];
  return places.map((kept) => kept ?? others.shift() ?? "");
}

/** The endpoints in their slots: each in turn until all slots are filled. Endpoints beyond the last slot get none. */
export function fillSlots<T>(endpoints: readonly T[]): readonly T[] {
  if (endpoints.length === 0) return [];
  const count = slotCountFor(endpoints.length);
  const filled: T[] = [];
  while (filled.length < count) filled.push(...endpoints.slice(0, count - filled.length));
  return filled;
}
