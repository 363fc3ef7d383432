import type { Node } from "@skiff/api";
import { isNodeReady } from "./plan.ts";

/** `full`: no node is ready. `partial`: so many are not that the fault may lie elsewhere. */
export type ZoneState = "normal" | "partial" | "full";

/** From this share on of nodes that are not ready. */
const unhealthyShare = 0.55;
/** Fewer are never too many. */
const unhealthyLeast = 3;
/** Zones with more nodes go on being emptied in a partial disruption, slowly. */
const largeZone = 50;
const usualPerSecond = 0.1;
const secondaryPerSecond = 0.01;

/** What a node's labels say of where it is; nodes without them are all in one zone. */
export function zoneOf({ metadata: { labels = {} } }: Node): string {
  const region = labels["topology.kubernetes.io/region"] ?? "";
  const zone = labels["topology.kubernetes.io/zone"] ?? "";
  return `${region}/${zone}`;
}

export interface Zone {
  readonly state: ZoneState;
  /** How many of its nodes may be emptied in a second; 0: none for now. */
  readonly perSecond: number;
}

/** How each zone is. https://kubernetes.io/docs/concepts/architecture/nodes/#rate-limits-on-eviction */
export function zonesOf(nodes: readonly Node[]): ReadonlyMap<string, Zone> {
  const counts = new Map<string, { ready: number; all: number }>();
  for (const node of nodes) {
    const key = zoneOf(node);
    const count = counts.get(key) ?? { ready: 0, all: 0 };
    counts.set(key, count);
    count.all++;
    if (isNodeReady(node)) count.ready++;
  }
  return new Map([...counts].map(([key, { ready, all }]) => [key, zone(ready, all)]));
}

function zone(ready: number, all: number): Zone {
  const unhealthy = all - ready;
  if (ready === 0) return { state: "full", perSecond: usualPerSecond };
  if (unhealthy < unhealthyLeast || unhealthy / all < unhealthyShare) {
    return { state: "normal", perSecond: usualPerSecond };
  }
  return { state: "partial", perSecond: all > largeZone ? secondaryPerSecond : 0 };
}

/** When no node anywhere is ready, the fault is not the nodes': nobody is evicted. */
export const isAllLost = (zones: ReadonlyMap<string, Zone>): boolean =>
  [...zones.values()].every(({ state }) => state === "full");
