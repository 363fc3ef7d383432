import type { Allocation } from "./zone-allocations.ts";

/** How many endpoints zones give to others, and how many the others receive, so that all come close to what they should have. */
export function giveAndReceive(
  allocations: ReadonlyMap<string, Allocation>,
  hints: ReadonlyMap<string, number>,
): { readonly giving: Map<string, number>; readonly receiving: Map<string, number> } {
  const surplus = new Map<string, number>();
  const lack = new Map<string, number>();
  for (const [zone, { desired }] of allocations) {
    const difference = (hints.get(zone) ?? 0) - desired;
    if (difference > 0) surplus.set(zone, difference);
    else if (difference < 0) lack.set(zone, -difference);
  }
  const giving = new Map<string, number>();
  const receiving = new Map<string, number>();
  for (;;) {
    const [giver, toGive] = most(surplus);
    const [receiver, toReceive] = most(lack);
    // Half an endpoint is not worth a change, nor is less than one on both sides.
    if (Math.min(toGive, toReceive) < 0.5 || Math.max(toGive, toReceive) < 1) return { giving, receiving };
    giving.set(giver, (giving.get(giver) ?? 0) + 1);
    receiving.set(receiver, (receiving.get(receiver) ?? 0) + 1);
    surplus.set(giver, toGive - 1);
    lack.set(receiver, toReceive - 1);
  }
}

/** The zone with the most, in order of name; none has 0. */
function most(zones: ReadonlyMap<string, number>): readonly [string, number] {
  return [...zones]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .reduce((best, one) => (one[1] > best[1] ? one : best), ["", 0]);
}
