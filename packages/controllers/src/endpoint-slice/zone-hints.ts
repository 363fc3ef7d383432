import type { EndpointSlice, New } from "@skiff/api";
import type { EndpointSlicesPlan } from "./packing.ts";
import { type Allocation, allocationsFor, type ZoneShares } from "./zone-allocations.ts";
import { giveAndReceive } from "./zone-exchange.ts";

/** What became of the hints of a Service's endpoints of one family. */
export type HintsOutcome = { readonly kind: "hinted" } | { readonly kind: "disabled"; readonly why: string };

/** A slice of the plan, or one that stays as it is. */
type Slice = EndpointSlice | New<EndpointSlice>;

/**
 * Says of each endpoint which zone it is for, so that each zone has as large a part of them as it has of the nodes' CPUs. Most
 * are for the zone that they are in. Slices that would not change otherwise keep their hints, as far as these are good.
 * https://kubernetes.io/docs/concepts/services-networking/topology-aware-routing/
 */
export function addZoneHints(
  plan: EndpointSlicesPlan,
  existing: readonly EndpointSlice[],
  shares: ZoneShares | "unknown",
): { readonly plan: EndpointSlicesPlan; readonly outcome: HintsOutcome } {
  const left = existing.filter(
    (slice) => !plan.update.some((one) => isSame(one, slice)) && !plan.remove.includes(slice),
  );
  const ready = [...plan.create, ...plan.update, ...left].flatMap(readyIn);
  const allocations = allocationsFor(shares, ready.length);
  const disabled = (why: string) => ({ plan: withoutHints(plan, left), outcome: { kind: "disabled", why } as const });
  if (typeof allocations === "string") return disabled(allocations);
  const hints = new Map<string, number>();
  const stale: EndpointSlice[] = [];
  for (const slice of left) {
    const own = hintsIn(slice, hints, allocations);
    if (own === undefined) stale.push(slice);
    for (const [zone, count] of own ?? []) hints.set(zone, (hints.get(zone) ?? 0) + count);
  }
  const open: readonly Slice[] = [...plan.create, ...plan.update, ...stale];
  const endpoints = open.flatMap(readyIn);
  if (endpoints.some(({ zone }) => !zone)) return disabled("One or more endpoints do not have a zone specified");
  for (const { zone = "" } of endpoints) hints.set(zone, (hints.get(zone) ?? 0) + 1);
  if (hints.size === 0) return disabled("No hints allocated for zones");
  const { giving, receiving } = giveAndReceive(allocations, hints);
  const hinted = <T extends Slice>(slice: T): T => ({
    ...slice,
    endpoints: (slice.endpoints ?? []).map((endpoint) => {
      const { hints: _old, ...rest } = endpoint;
      if (endpoint.conditions?.ready !== true) return rest;
      return { ...rest, hints: { forZones: [{ name: zoneFor(endpoint.zone ?? "", giving, receiving) }] } };
    }),
  });
  return {
    plan: {
      create: plan.create.map(hinted),
      update: [...plan.update, ...stale].map(hinted),
      remove: plan.remove,
    },
    outcome: { kind: "hinted" },
  };
}

const isSame = (one: EndpointSlice, other: EndpointSlice): boolean => one.metadata.name === other.metadata.name;

const readyIn = ({ endpoints = [] }: Slice) => endpoints.filter(({ conditions }) => conditions?.ready === true);

/** How many endpoints of a slice are for which zone; `undefined` where one is for none, or for one that has enough. */
function hintsIn(
  slice: EndpointSlice,
  others: ReadonlyMap<string, number>,
  allocations: ReadonlyMap<string, Allocation>,
): ReadonlyMap<string, number> | undefined {
  const counts = new Map<string, number>();
  for (const { hints } of readyIn(slice)) {
    if ((hints?.forZones ?? []).length === 0) return undefined;
    for (const { name } of hints?.forZones ?? []) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  for (const [zone, count] of counts) {
    const allocation = allocations.get(zone);
    if (allocation === undefined || count + (others.get(zone) ?? 0) > allocation.maximum) return undefined;
  }
  return counts;
}

/** The zone of an endpoint, or another that its zone has to give one to. */
function zoneFor(zone: string, giving: Map<string, number>, receiving: Map<string, number>): string {
  const [receiver] = receiving.keys();
  if (receiver === undefined || !giving.has(zone)) return zone;
  for (const [counts, name] of [
    [giving, zone],
    [receiving, receiver],
  ] as const) {
    const count = (counts.get(name) ?? 0) - 1;
    if (count > 0) counts.set(name, count);
    else counts.delete(name);
  }
  return receiver;
}

function withoutHints(plan: EndpointSlicesPlan, left: readonly EndpointSlice[]): EndpointSlicesPlan {
  const bare = <T extends Slice>(slice: T): T => ({
    ...slice,
    endpoints: (slice.endpoints ?? []).map(({ hints: _, ...endpoint }) => endpoint),
  });
  const hinted = left.filter(({ endpoints = [] }) => endpoints.some(({ hints }) => hints !== undefined));
  return { create: plan.create.map(bare), update: [...plan.update, ...hinted].map(bare), remove: plan.remove };
}
