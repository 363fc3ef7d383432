import { asMillis, type Node } from "@skiff/api";
import { isNodeReady } from "../node-lifecycle/plan.ts";

/** The part of the nodes' CPUs that each zone has; together 1. */
export type ZoneShares = ReadonlyMap<string, number>;

/** How many endpoints a zone should have. */
export interface Allocation {
  readonly minimum: number;
  readonly maximum: number;
  readonly desired: number;
}

/** By how much an endpoint may have more to do than others. */
const overload = 0.2;
const zoneLabel = "topology.kubernetes.io/zone";
const excluded = ["node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master"];

/** `unknown` where a node does not say its zone or its CPUs, or there is one zone only. */
export function zoneShares(nodes: readonly Node[]): ZoneShares | "unknown" {
  const millis = new Map<string, number>();
  let total = 0;
  for (const node of nodes) {
    const { labels = {} } = node.metadata;
    if (excluded.some((label) => labels[label] !== undefined) || !isNodeReady(node)) continue;
    const zone = labels[zoneLabel];
    const own = asMillis(node.status?.allocatable?.cpu ?? "0");
    if (!zone || own === 0) return "unknown";
    millis.set(zone, (millis.get(zone) ?? 0) + own);
    total += own;
  }
  if (millis.size < 2) return "unknown";
  return new Map([...millis].map(([zone, own]) => [zone, own / total]));
}

/** What each zone should have of so many endpoints; or why they cannot be shared out. */
export function allocationsFor(
  shares: ZoneShares | "unknown",
  endpoints: number,
): ReadonlyMap<string, Allocation> | string {
  if (shares === "unknown") {
    return "Insufficient Node information: allocatable CPU or zone not specified on one or more nodes";
  }
  const counts = `(${endpoints} endpoints, ${shares.size} zones)`;
  if (shares.size > endpoints) return `Insufficient number of endpoints ${counts}`;
  const minimums = new Map([...shares].map(([zone, share]) => [zone, Math.ceil((share * endpoints) / (1 + overload))]));
  const least = [...minimums.values()].reduce((sum, minimum) => sum + minimum, 0);
  if (least > endpoints) {
    return `Unable to allocate minimum required endpoints to each zone without exceeding overload threshold ${counts}`;
  }
  return new Map(
    [...shares].map(([zone, share]) => {
      const minimum = minimums.get(zone) ?? 0;
      const desired = Math.max(share * endpoints, minimum);
      return [zone, { minimum, maximum: minimum + endpoints - least, desired }];
    }),
  );
}
