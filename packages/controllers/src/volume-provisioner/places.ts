import { type CSINode, type Node, nodeSelectorMatches, type PersistentVolume, type StorageClass } from "@skiff/api";
import { isNodeReady } from "../node-lifecycle/plan.ts";
import type { Segments } from "../storage-driver.ts";

/** Where a volume can be had, by what its object says; `undefined`: everywhere. */
export function placeOf({ spec }: PersistentVolume): Segments | undefined {
  const [term] = spec.nodeAffinity?.required?.nodeSelectorTerms ?? [];
  const found = (term?.matchExpressions ?? []).flatMap(({ key, operator, values: [value] = [] }) =>
    operator === "In" && value !== undefined ? [[key, value] as const] : [],
  );
  return found.length === 0 ? undefined : Object.fromEntries(found);
}

/** Whether the node is one of those from which the volume can be had, and the volume says so. */
export function isOnlyAt({ spec }: PersistentVolume, node: Node): boolean {
  const required = spec.nodeAffinity?.required;
  return required !== undefined && nodeSelectorMatches(required, node);
}

export const isAt = ({ metadata }: Node, place: Segments): boolean =>
  Object.entries(place).every(([key, value]) => metadata.labels?.[key] === value);

/** The labels of a node that a driver's topology is about. */
export function segmentsOfNode({ metadata }: Node, driver: string): Segments | undefined {
  const own = Object.entries(metadata.labels ?? {}).filter(([key]) => key.startsWith(`topology.${driver}/`));
  return own.length === 0 ? undefined : Object.fromEntries(own);
}

/** Taints of nodes that are down, for a while or longer. */
const silences: ReadonlySet<string> = new Set(["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"]);

/**
 * Where a volume may be made whose class does not wait for the first pod: where the driver is, and pods may come. What is made at
 * home waits for home while that starts: elsewhere it could be apart from others that its pod needs.
 */
export function openPlaces(
  { name: driver, home }: { readonly name: string; readonly home: Segments },
  { allowedTopologies }: StorageClass,
  nodes: readonly Node[],
  csiNodeOf: (name: string) => CSINode | undefined,
): readonly Segments[] {
  const found: Segments[] = [];
  for (const node of nodes) {
    const { taints = [] } = node.spec ?? {};
    if (taints.some(({ key, effect }) => effect !== "PreferNoSchedule" && !silences.has(key))) continue;
    if (!isNodeReady(node) && !isAt(node, home)) continue;
    if (csiNodeOf(node.metadata.name)?.spec.drivers.some(({ name }) => name === driver) !== true) continue;
    const segments = segmentsOfNode(node, driver);
    if (segments !== undefined && isAllowed(segments, allowedTopologies)) found.push(segments);
  }
  return found;
}

const isAllowed = (segments: Segments, terms: StorageClass["allowedTopologies"]): boolean =>
  terms === undefined ||
  terms.length === 0 ||
  terms.some(({ matchLabelExpressions = [] }) =>
    matchLabelExpressions.every(({ key, values }) => values.includes(segments[key] ?? "")),
  );

const byText = (a: Segments, b: Segments): number => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);

/**
 * The order in which places are tried for a claim that nobody has chosen a node for. Claims of StatefulSets end with the number
 * of their pod: pods are spread, and all claims of one pod get the same place, or it could run nowhere. Other claims tell
 * nothing of which belong to one pod: all of them get the first place.
 */
export function rotated(claimName: string, places: readonly Segments[], home: Segments): readonly Segments[] {
  const isHome = (place: Segments) => JSON.stringify(place) === JSON.stringify(home);
  const sorted = [...places.filter(isHome), ...places.filter((place) => !isHome(place)).sort(byText)];
  const ordinal = Number(/-(\d{1,9})$/.exec(claimName)?.[1] ?? 0);
  const first = sorted.length === 0 ? 0 : ordinal % sorted.length;
  return [...sorted.slice(first), ...sorted.slice(0, first)];
}
