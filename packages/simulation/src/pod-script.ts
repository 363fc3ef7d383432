import type {
  Container,
  ContainerState,
  ContainerStatus,
  Pod,
  PodCondition,
  PodStatus,
  ResourceRequirements,
} from "@skiff/api";
import { timestamp } from "@skiff/base";

/** What a pod does once a simulated node has it. Times count from when the node sees the pod. */
export type PodScript =
  /** Its containers run after `startMs` and are ready after `readyMs` (never where absent). */
  | { readonly kind: "runs"; readonly startMs: number; readonly readyMs?: number }
  /** It runs after `startMs`, is ready after `readyMs` (at once where absent) and ends after `endMs`. */
  | ({ readonly kind: "ends"; readonly startMs: number; readonly readyMs?: number; readonly endMs: number } & PodEnd)
  /** Its image cannot be pulled. */
  | { readonly kind: "pullFails" };

/** How containers end. */
export interface PodEnd {
  readonly exitCode: number;
  /** As their status tells; Kubernetes' own reason where absent. */
  readonly reason?: string;
  readonly message?: string;
  /** Only this container ends so, the others well; all of them where absent. */
  readonly container?: string;
}

/** Chooses what a pod does. */
export type PodScripts = (pod: Pod) => PodScript;

/** Pods run after 300 ms and are ready after 500 ms, but not those with an image whose name begins with `nosuch`. */
export const usualScript: PodScripts = (pod) =>
  pod.spec.containers.some(({ image }) => image?.startsWith("nosuch") === true)
    ? { kind: "pullFails" }
    : { kind: "runs", startMs: 300, readyMs: 500 };

/** How far a pod has come. */
export type PodStage = "pulling" | "running" | "ready" | "ended";

/** The stages still to come, each with its time (milliseconds since the node saw the pod). */
export function stagesOf(script: PodScript): readonly { readonly stage: PodStage; readonly atMs: number }[] {
  switch (script.kind) {
    case "pullFails":
      return [{ stage: "pulling", atMs: 0 }];
    case "runs":
      return runningStages(script.startMs, script.readyMs);
    case "ends": {
      const { startMs, readyMs = startMs, endMs } = script;
      return [...runningStages(startMs, readyMs), { stage: "ended", atMs: endMs }];
    }
  }
}

/** What happens at the same moment is told at once. */
function runningStages(startMs: number, readyMs: number | undefined): readonly { stage: PodStage; atMs: number }[] {
  const running = { stage: "running" as const, atMs: startMs };
  if (readyMs === undefined) return [running];
  return [...(readyMs === startMs ? [] : [running]), { stage: "ready", atMs: readyMs }];
}

/** Whether a pod's status already tells of a stage: it does where a node takes pods up again. */
export function hasReached({ status }: Pod, stage: PodStage): boolean {
  switch (stage) {
    case "pulling":
      return status?.containerStatuses !== undefined;
    case "running":
      return status?.phase === "Running";
    case "ready":
      return status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") === true;
    case "ended":
      return status?.phase === "Succeeded" || status?.phase === "Failed";
  }
}

/** The stages that a pod's status does not tell of yet; the last one that it does once more, where the pod has changed since. */
export function stagesLeft(pod: Pod, script: PodScript): ReturnType<typeof stagesOf> {
  const stages = stagesOf(script);
  const told = stages.findLastIndex(({ stage }) => hasReached(pod, stage));
  const isNew = pod.status?.observedGeneration === pod.metadata.generation;
  return stages.slice(told >= 0 && !isNew ? told : told + 1);
}

/** What a kubelet would report. */
export function statusAt(
  pod: Pod,
  stage: PodStage,
  on: { readonly podIP: string; readonly hostIP: string; readonly end: PodEnd; readonly nowMs: number },
): PodStatus {
  const now = timestamp(on.nowMs);
  const ready = stage === "ready";
  const phase =
    stage === "pulling" ? "Pending" : stage === "ended" ? (on.end.exitCode === 0 ? "Succeeded" : "Failed") : "Running";
  const condition = (type: string, holds: boolean): PodCondition => {
    const before = pod.status?.conditions?.find((known) => known.type === type);
    const status = holds ? "True" : "False";
    const lastTransitionTime = before?.status === status ? before.lastTransitionTime : now;
    return { type, status, lastTransitionTime, observedGeneration: pod.metadata.generation };
  };
  const ours = [
    condition("PodReadyToStartContainers", stage !== "ended"),
    condition("Initialized", true),
    condition("Ready", ready),
    condition("ContainersReady", ready),
    condition("PodScheduled", true),
  ];
  const others = (pod.status?.conditions ?? []).filter(({ type }) => !ours.some((known) => known.type === type));
  const addresses = stage === "pulling" ? {} : { podIP: on.podIP, podIPs: [{ ip: on.podIP }] };
  return {
    ...pod.status,
    phase,
    observedGeneration: pod.metadata.generation,
    hostIP: on.hostIP,
    hostIPs: [{ ip: on.hostIP }],
    ...addresses,
    ...grantedResources(pod.spec.resources),
    startTime: pod.status?.startTime ?? now,
    conditions: [...others, ...ours],
    containerStatuses: pod.spec.containers.map((container) => containerStatus(pod, container, { ...on, stage })),
    ...initStatuses(pod, now),
  };
}

interface Moment {
  readonly stage: PodStage;
  readonly end: PodEnd;
  readonly nowMs: number;
}

function containerStatus(pod: Pod, container: Container, moment: Moment): ContainerStatus {
  const { name, image = "" } = container;
  const { stage } = moment;
  const before = pod.status?.containerStatuses?.find((known) => known.name === name);
  return {
    name,
    image,
    imageID: stage === "pulling" ? "" : `simulated://${image}`,
    ...(stage === "pulling" ? {} : { containerID: `simulated://${pod.metadata.uid}-${name}` }),
    ready: stage === "ready",
    started: stage === "ready" || stage === "running",
    restartCount: 0,
    state: containerState(container, before?.state?.running?.startedAt, moment),
    ...(stage === "pulling" ? {} : grantedResources(container.resources)),
  };
}

/** All is granted that is asked for: there is no machine that would not have it. */
const grantedResources = ({ requests, limits }: ResourceRequirements = {}) => ({
  ...(requests && { allocatedResources: requests }),
  ...((requests || limits) && { resources: { ...(requests && { requests }), ...(limits && { limits }) } }),
});

function containerState(
  { name, image = "" }: Container,
  startedAt: string | undefined,
  { stage, end, nowMs }: Moment,
): ContainerState {
  const now = timestamp(nowMs);
  if (stage === "pulling") {
    return { waiting: { reason: "ImagePullBackOff", message: `Back-off pulling image ${JSON.stringify(image)}` } };
  }
  if (stage !== "ended") return { running: { startedAt: startedAt ?? now } };
  const own: PodEnd = end.container === undefined || end.container === name ? end : { exitCode: 0 };
  const { exitCode, message, reason = exitCode === 0 ? "Completed" : "Error" } = own;
  const words = message === undefined ? { reason } : { reason, message };
  return { terminated: { exitCode, ...words, startedAt: startedAt ?? now, finishedAt: now } };
}

/** Init containers have ended well before the others run; those that stay beside them run. */
function initStatuses(pod: Pod, now: string): Pick<PodStatus, "initContainerStatuses"> {
  const { initContainers = [] } = pod.spec;
  if (initContainers.length === 0) return {};
  const known = pod.status?.initContainerStatuses;
  if (known !== undefined) return { initContainerStatuses: known };
  return {
    initContainerStatuses: initContainers.map(({ name, image = "", restartPolicy }) => ({
      name,
      image,
      imageID: `simulated://${image}`,
      ready: true,
      started: restartPolicy === "Always",
      restartCount: 0,
      state:
        restartPolicy === "Always"
          ? { running: { startedAt: now } }
          : { terminated: { exitCode: 0, reason: "Completed", startedAt: now, finishedAt: now } },
    })),
  };
}
