import {
  type DaemonSet,
  type DaemonSetStatus,
  isPodTerminal,
  type Node,
  type Pod,
  podReady,
  scaledValue,
} from "@skiff/api";
import { unlessZero } from "../counts.ts";
import { revisionLabel } from "../history/revision-label.ts";
import { availableInMs } from "../pods.ts";
import { placementOf } from "./placement.ts";
import { nodeNameOf } from "./pod.ts";

/** No more pods are made or deleted in one go. */
const burstLimit = 250;

export interface Observed {
  readonly set: DaemonSet;
  readonly nodes: readonly Node[];
  /** All that the set owns. */
  readonly pods: readonly Pod[];
  /** Hash of the present template. */
  readonly hash: string;
  readonly nowMs: number;
}

export interface DaemonPlan {
  /** Names of the nodes that get a pod. */
  readonly create: readonly string[];
  readonly remove: readonly Pod[];
  /** Among `remove`: pods that have ended and are made anew. */
  readonly ended: readonly Pod[];
}

/** A node with the set's pods on it, those that go already left out. */
interface Place {
  readonly name: string;
  readonly shouldRun: boolean;
  readonly mayStay: boolean;
  readonly pods: readonly Pod[];
  readonly leaving: boolean;
}

const isLeaving = ({ metadata }: Pod): boolean => metadata.deletionTimestamp !== undefined;

function placesOf({ set, nodes, pods }: Observed): readonly Place[] {
  const byNode = Map.groupBy(pods, (pod) => nodeNameOf(pod) ?? "");
  return nodes.map((node) => {
    const { name } = node.metadata;
    const here = byNode.get(name) ?? [];
    return {
      name,
      ...placementOf(set, node),
      pods: here.filter((pod) => !isLeaving(pod)),
      leaving: here.some(isLeaving),
    };
  });
}

/** What has to be made and deleted so that one pod of the present template runs on each node that should have one. */
export function planDaemons(observed: Observed): DaemonPlan {
  if (observed.set.metadata.deletionTimestamp !== undefined) return { create: [], remove: [], ended: [] };
  const places = placesOf(observed);
  const create: string[] = [];
  const remove: Pod[] = [];
  const ended: Pod[] = [];
  for (const place of places) {
    const running = place.pods.filter(({ status }) => status?.phase !== "Failed" && status?.phase !== "Succeeded");
    if (!place.mayStay) remove.push(...place.pods);
    else {
      const over = place.pods.filter((pod) => !running.includes(pod));
      ended.push(...over);
      remove.push(...over, ...superfluous(observed, running));
      if (place.shouldRun && place.pods.length === 0 && !place.leaving) create.push(place.name);
    }
  }
  remove.push(...strayed(observed));
  if (observed.set.spec.updateStrategy?.type !== "OnDelete") rollOut(observed, places, { create, remove });
  return { create: create.slice(0, burstLimit), remove: [...new Set(remove)].slice(0, burstLimit), ended };
}

/** Pods on nodes that are gone are the business of the pod garbage collector; those that were made for one never start. */
const strayed = ({ nodes, pods }: Observed): readonly Pod[] => {
  const names = new Set(nodes.map(({ metadata }) => metadata.name));
  return pods.filter((pod) => !pod.spec.nodeName && !isLeaving(pod) && !names.has(nodeNameOf(pod) ?? ""));
};

const isNew = ({ hash }: Observed, pod: Pod): boolean => pod.metadata.labels?.[revisionLabel] === hash;

/** The oldest first, those that wait for their node after all others. */
const byAge = (a: Pod, b: Pod): number =>
  Number(!a.spec.nodeName) - Number(!b.spec.nodeName) ||
  Date.parse(a.metadata.creationTimestamp) - Date.parse(b.metadata.creationTimestamp) ||
  (a.metadata.name < b.metadata.name ? -1 : 1);

/** All but the oldest pod of a node; during an update with surge, all but the oldest of either template. */
function superfluous(observed: Observed, running: readonly Pod[]): readonly Pod[] {
  if (surgeOf(observed, running.length) === 0) return [...running].sort(byAge).slice(1);
  const fresh = running.filter((pod) => isNew(observed, pod)).sort(byAge);
  const old = running.filter((pod) => !isNew(observed, pod)).sort(byAge);
  return [...fresh.slice(1), ...old.slice(1)];
}

function surgeOf({ set }: Observed, desired: number): number {
  const { type, rollingUpdate } = set.spec.updateStrategy ?? {};
  return type === "OnDelete" ? 0 : scaledValue(rollingUpdate?.maxSurge ?? 0, desired, "up");
}

function isAvailable({ set, nowMs }: Observed, pod: Pod): boolean {
  return availableInMs(pod, set.spec.minReadySeconds ?? 0, nowMs) === 0;
}

/** Replaces old pods, as many at a time as the strategy allows. What does not work anyway is replaced at once. */
function rollOut(observed: Observed, places: readonly Place[], plan: { create: string[]; remove: Pod[] }): void {
  const wanted = places.filter(({ shouldRun }) => shouldRun);
  const { maxUnavailable = 1 } = observed.set.spec.updateStrategy?.rollingUpdate ?? {};
  const surge = surgeOf(observed, wanted.length);
  if (surge > 0) surgeAhead(observed, wanted, { surge, ...plan });
  else deleteFirst(observed, wanted, { most: scaledValue(maxUnavailable, wanted.length, "up"), remove: plan.remove });
}

function deleteFirst(
  observed: Observed,
  places: readonly Place[],
  { most, remove }: { readonly most: number; readonly remove: Pod[] },
): void {
  let unavailable = 0;
  const broken: Pod[] = [];
  const candidates: Pod[] = [];
  for (const { pods } of places) {
    const fresh = pods.find((pod) => isNew(observed, pod));
    const old = pods.find((pod) => !isNew(observed, pod));
    const serving = fresh ?? old;
    const works = serving !== undefined && isAvailable(observed, serving);
    if (!works) unavailable++;
    if (fresh !== undefined || old === undefined) continue;
    (works ? candidates : broken).push(old);
  }
  remove.push(...broken, ...candidates.slice(0, Math.max(0, most - unavailable)));
}

/** A new pod is made beside the old one, which goes once the new one is available. */
function surgeAhead(
  observed: Observed,
  places: readonly Place[],
  { surge, create, remove }: { readonly surge: number; readonly create: string[]; readonly remove: Pod[] },
): void {
  let surging = 0;
  const atOnce: string[] = [];
  const candidates: string[] = [];
  for (const { name, pods } of places) {
    const fresh = pods.find((pod) => isNew(observed, pod));
    const old = pods.find((pod) => !isNew(observed, pod));
    if (old === undefined) continue;
    if (fresh === undefined) (isAvailable(observed, old) ? candidates : atOnce).push(name);
    else if (isAvailable(observed, fresh)) remove.push(old);
    else surging++;
  }
  create.push(...atOnce, ...candidates.slice(0, Math.max(0, surge - surging)));
}

export interface StatusPlan {
  readonly status: DaemonSetStatus;
  /** When a ready pod becomes available without anything happening. */
  readonly recheckMs: number | undefined;
}

/** The status that nodes and pods amount to. Of several pods on a node the oldest counts, also while it goes. */
export function planStatus(observed: Observed, collisionCount: number): StatusPlan {
  const { set, nodes, nowMs } = observed;
  const present = observed.pods.filter((pod) => !(isLeaving(pod) && isPodTerminal(pod)));
  const byNode = Map.groupBy(present, (pod) => nodeNameOf(pod) ?? "");
  const counts = { desired: 0, current: 0, misscheduled: 0, ready: 0, available: 0, updated: 0 };
  const waits: number[] = [];
  for (const node of nodes) {
    const [oldest] = [...(byNode.get(node.metadata.name) ?? [])].sort(byAge);
    if (!placementOf(set, node).shouldRun) {
      if (oldest !== undefined) counts.misscheduled++;
      continue;
    }
    counts.desired++;
    if (oldest === undefined) continue;
    counts.current++;
    if (isNew(observed, oldest)) counts.updated++;
    if (!podReady(oldest)) continue;
    counts.ready++;
    const wait = availableInMs(oldest, set.spec.minReadySeconds ?? 0, nowMs) ?? 0;
    if (wait === 0) counts.available++;
    else waits.push(wait);
  }
  const status: DaemonSetStatus = {
    currentNumberScheduled: counts.current,
    numberMisscheduled: counts.misscheduled,
    desiredNumberScheduled: counts.desired,
    numberReady: counts.ready,
    observedGeneration: set.metadata.generation,
    updatedNumberScheduled: unlessZero(counts.updated),
    numberAvailable: unlessZero(counts.available),
    numberUnavailable: unlessZero(counts.desired - counts.available),
    ...(collisionCount === 0 ? {} : { collisionCount }),
    ...(set.status?.conditions === undefined ? {} : { conditions: set.status.conditions }),
  };
  return { status, recheckMs: waits.length === 0 ? undefined : Math.min(...waits) };
}
