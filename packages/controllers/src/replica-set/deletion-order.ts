import { isSidecar, type Pod, podCondition, podReady } from "@skiff/api";

/** How many of the fellow pods run on each node: pods of crowded nodes go first. */
export type Crowding = ReadonlyMap<string, number>;

const costAnnotation = "controller.kubernetes.io/pod-deletion-cost";
const phases = ["Pending", "Unknown", "Running"];

/** The order in which surplus pods are deleted: what would be missed least comes first. */
export function deletionOrder(crowding: Crowding, nowMs: number): (a: Pod, b: Pod) => number {
  return (a, b) =>
    Number(Boolean(a.spec.nodeName)) - Number(Boolean(b.spec.nodeName)) ||
    phases.indexOf(a.status?.phase ?? "Pending") - phases.indexOf(b.status?.phase ?? "Pending") ||
    Number(podReady(a)) - Number(podReady(b)) ||
    cost(a) - cost(b) ||
    (crowding.get(b.spec.nodeName ?? "") ?? 0) - (crowding.get(a.spec.nodeName ?? "") ?? 0) ||
    byAge(readySinceMs(a), readySinceMs(b), nowMs) ||
    restarts(b, false) - restarts(a, false) ||
    restarts(b, true) - restarts(a, true) ||
    byAge(Date.parse(a.metadata.creationTimestamp), Date.parse(b.metadata.creationTimestamp), nowMs) ||
    (a.metadata.uid < b.metadata.uid ? -1 : 1);
}

function cost({ metadata }: Pod): number {
  const text = metadata.annotations?.[costAnnotation];
  return text !== undefined && /^(?:0|-?[1-9][0-9]{0,9})$/.test(text) ? Number(text) : 0;
}

function readySinceMs(pod: Pod): number {
  const ready = podCondition(pod, "Ready");
  return ready?.status === "True" ? Date.parse(ready.lastTransitionTime ?? "") : Number.NaN;
}

/** The younger first. Ages are compared by their order of magnitude, so that among old pods chance decides, not seconds. */
function byAge(aMs: number, bMs: number, nowMs: number): number {
  if (Number.isNaN(aMs) || Number.isNaN(bMs)) return Number(Number.isNaN(bMs)) - Number(Number.isNaN(aMs));
  return magnitude(nowMs - aMs) - magnitude(nowMs - bMs);
}

const magnitude = (ageMs: number): number => (ageMs <= 0 ? 0 : Math.floor(Math.log2(ageMs * 1e6)));

function restarts(pod: Pod, sidecars: boolean): number {
  const names = new Set((pod.spec.initContainers ?? []).filter(isSidecar).map(({ name }) => name));
  const statuses = sidecars
    ? (pod.status?.initContainerStatuses ?? []).filter(({ name }) => names.has(name))
    : (pod.status?.containerStatuses ?? []);
  return Math.max(0, ...statuses.map(({ restartCount }) => restartCount));
}
