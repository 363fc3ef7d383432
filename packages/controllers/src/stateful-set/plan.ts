import { isPodTerminal, type Pod, podReady, type StatefulSet, type StatefulSetStatus, scaledValue } from "@skiff/api";
import { revisionLabel } from "../history/revision-label.ts";
import { availableInMs } from "../pods.ts";
import { ordinalOf, podIndexLabel, podName, podNameLabel } from "./pod.ts";

export type PodAction =
  | { readonly kind: "create"; readonly ordinal: number; readonly revision: "current" | "update" }
  /** `ended`: it has failed or finished and is made anew; `surplus`: the set is smaller now; `old`: it is of another revision. */
  | { readonly kind: "delete"; readonly pod: Pod; readonly why: "ended" | "surplus" | "old" }
  /** Somebody has changed the labels that tell which pod of the set it is. */
  | { readonly kind: "relabel"; readonly pod: Pod; readonly ordinal: number };

export interface Observed {
  readonly set: StatefulSet;
  /** All that the set owns, whatever their ordinals. */
  readonly pods: readonly Pod[];
  /** Names of the revisions that are rolled out, and to be rolled out. */
  readonly currentRevision: string;
  readonly updateRevision: string;
  readonly nowMs: number;
}

/** What to do next. With ordered pods that is one thing at a time, and nothing while a pod is not available. */
export function planPods(observed: Observed): readonly PodAction[] {
  const { set } = observed;
  if (set.metadata.deletionTimestamp !== undefined) return [];
  const actions: PodAction[] = [];
  const ordered = set.spec.podManagementPolicy !== "Parallel";
  const view = viewOf(observed);
  const settled =
    fill(view, ordered, actions) && shrink(view, ordered, actions) && set.spec.updateStrategy?.type !== "OnDelete";
  if (settled) replaceOld(view, actions);
  return actions;
}

interface View extends Observed {
  readonly start: number;
  /** By ordinal, from `start` on. */
  readonly slots: readonly (Pod | undefined)[];
  /** Beyond the wanted ordinals, highest first. */
  readonly condemned: readonly Pod[];
}

function viewOf(observed: Observed): View {
  const { set, pods } = observed;
  const start = set.spec.ordinals?.start ?? 0;
  const replicas = set.spec.replicas ?? 1;
  const byOrdinal = new Map(pods.map((pod) => [ordinalOf(set, pod) ?? -1, pod]));
  const slots = Array.from({ length: replicas }, (_, index) => byOrdinal.get(start + index));
  const beyond = [...byOrdinal].filter(([ordinal]) => ordinal >= 0 && (ordinal < start || ordinal >= start + replicas));
  const condemned = beyond.sort(([a], [b]) => b - a).map(([, pod]) => pod);
  return { ...observed, start, slots, condemned };
}

const isTerminating = (pod: Pod): boolean => pod.metadata.deletionTimestamp !== undefined;
const isHealthy = (pod: Pod): boolean => pod.status?.phase === "Running" && podReady(pod) && !isTerminating(pod);

function isAvailable({ set, nowMs }: Observed, pod: Pod | undefined): boolean {
  if (pod === undefined || !isHealthy(pod)) return false;
  return availableInMs(pod, set.spec.minReadySeconds ?? 0, nowMs) === 0;
}

/** Makes missing pods. False: nothing else is to be done before something changes. */
function fill(view: View, ordered: boolean, actions: PodAction[]): boolean {
  for (const [index, pod] of view.slots.entries()) {
    const ordinal = view.start + index;
    if (pod === undefined) actions.push({ kind: "create", ordinal, revision: revisionFor(view, ordinal) });
    else if (isPodTerminal(pod)) {
      if (!isTerminating(pod)) actions.push({ kind: "delete", pod, why: "ended" });
    } else if (!isTerminating(pod) && !isLabelled(view, pod, ordinal)) actions.push({ kind: "relabel", pod, ordinal });
    if (ordered && !isAvailable(view, pod)) return false;
  }
  return true;
}

/** Pods below the partition, which is counted from the first ordinal, keep to the revision that was there before. */
function revisionFor({ set, start }: View, ordinal: number): "current" | "update" {
  const { type, rollingUpdate } = set.spec.updateStrategy ?? {};
  if (type === "OnDelete") return "update";
  return ordinal < start + (rollingUpdate?.partition ?? 0) ? "current" : "update";
}

function isLabelled({ set }: View, { metadata: { labels } }: Pod, ordinal: number): boolean {
  return labels?.[podNameLabel] === podName(set, ordinal) && labels[podIndexLabel] === String(ordinal);
}

/** Deletes pods beyond the wanted number, from the top. One that is broken does not hold up its own deletion. */
function shrink(view: View, ordered: boolean, actions: PodAction[]): boolean {
  const firstUnhealthy = [...view.slots, ...[...view.condemned].reverse()].find(
    (pod) => pod !== undefined && !isHealthy(pod),
  );
  for (const pod of view.condemned) {
    if (isTerminating(pod)) {
      if (ordered) return false;
      continue;
    }
    if (ordered && !isAvailable(view, pod) && pod !== firstUnhealthy) return false;
    actions.push({ kind: "delete", pod, why: "surplus" });
    if (ordered) return false;
  }
  return true;
}

/**
 * Deletes pods of other revisions from the top, so many that no more than `maxUnavailable` are missing at a time. It halts at a
 * pod of the new revision that does not become available; an old one that is broken anyway costs nothing.
 */
function replaceOld(view: View, actions: PodAction[]): void {
  const { set, slots, start, updateRevision } = view;
  const { partition = 0, maxUnavailable = 1 } = set.spec.updateStrategy?.rollingUpdate ?? {};
  // Rounded down, whatever the field's own words say: Kubernetes does so, too.
  const most = Math.max(1, scaledValue(maxUnavailable, set.spec.replicas ?? 1, "down"));
  const isNew = (pod: Pod | undefined) => pod?.metadata.labels?.[revisionLabel] === updateRevision;
  let missing = slots.filter((pod) => !isAvailable(view, pod)).length;
  let halting = 0;
  for (let ordinal = start + slots.length - 1; ordinal >= start + partition; ordinal--) {
    const pod = slots[ordinal - start];
    const available = isAvailable(view, pod);
    if (pod === undefined || isNew(pod) || isTerminating(pod)) {
      if (!available && ++halting >= most) return;
      continue;
    }
    // One below that is broken may still be replaced: it is what the update is meant to mend.
    if (available && missing >= most) continue;
    if (available) missing++;
    actions.push({ kind: "delete", pod, why: "old" });
    if (++halting >= most) return;
  }
}

export interface StatusPlan {
  readonly status: StatefulSetStatus;
  /** When a ready pod becomes available without anything happening. */
  readonly recheckMs: number | undefined;
}

/** The status that the pods amount to. A finished rolling update makes the new revision the current one. */
export function planStatus(observed: Observed, collisionCount: number): StatusPlan {
  const { set, pods, currentRevision, updateRevision, nowMs } = observed;
  const own = pods.filter((pod) => ordinalOf(set, pod) !== undefined);
  const running = own.filter((pod) => pod.status?.phase === "Running" && podReady(pod));
  const waits = running.map((pod) => availableInMs(pod, set.spec.minReadySeconds ?? 0, nowMs) ?? 0);
  const pending = waits.filter((wait) => wait > 0);
  const staying = own.filter((pod) => !isTerminating(pod));
  const of = (revision: string) =>
    staying.filter(({ metadata }) => metadata.labels?.[revisionLabel] === revision).length;
  const updated = of(updateRevision);
  const finished =
    set.spec.updateStrategy?.type !== "OnDelete" && updated === own.length && running.length === own.length;
  const status: StatefulSetStatus = {
    observedGeneration: set.metadata.generation,
    replicas: own.length,
    readyReplicas: running.length,
    availableReplicas: waits.length - pending.length,
    currentReplicas: finished ? updated : of(currentRevision),
    updatedReplicas: updated,
    currentRevision: finished ? updateRevision : currentRevision,
    updateRevision,
    collisionCount,
    ...(set.status?.conditions === undefined ? {} : { conditions: set.status.conditions }),
  };
  for (const count of ["readyReplicas", "currentReplicas", "updatedReplicas"] as const) {
    if (status[count] === 0) delete status[count];
  }
  return { status, recheckMs: pending.length === 0 ? undefined : Math.min(...pending) };
}
