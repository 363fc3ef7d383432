import type { Container, ContainerState, ContainerStatus, Pod, PodCondition, PodStatus } from "@skiff/api";
import { timestamp } from "@skiff/base";

/** What a pod does once a simulated node has it. Times count from when the node sees the pod. */
export type PodScript =
  /** Its containers run after `startMs` and are ready after `readyMs` (never where absent). */
  | { readonly kind: "runs"; readonly startMs: number; readonly readyMs?: number }
  /** It runs after `startMs` and ends after `endMs`. */
  | { readonly kind: "ends"; readonly startMs: number; readonly endMs: number; readonly exitCode: number }
  /** Its image cannot be pulled. */
  | { readonly kind: "pullFails" };

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
      return [
        { stage: "running", atMs: script.startMs },
        ...(script.readyMs === undefined ? [] : [{ stage: "ready" as const, atMs: script.readyMs }]),
      ];
    case "ends":
      return [
        { stage: "ready", atMs: script.startMs },
        { stage: "ended", atMs: script.endMs },
      ];
  }
}

/** What a kubelet would report. */
export function statusAt(
  pod: Pod,
  stage: PodStage,
  on: { readonly podIP: string; readonly hostIP: string; readonly exitCode: number; readonly nowMs: number },
): PodStatus {
  const now = timestamp(on.nowMs);
  const ready = stage === "ready";
  const phase =
    stage === "pulling" ? "Pending" : stage === "ended" ? (on.exitCode === 0 ? "Succeeded" : "Failed") : "Running";
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
    startTime: pod.status?.startTime ?? now,
    conditions: [...others, ...ours],
    containerStatuses: pod.spec.containers.map((container) => containerStatus(container, stage, on.exitCode, now)),
  };
}

function containerStatus(container: Container, stage: PodStage, exitCode: number, now: string): ContainerStatus {
  const { name, image = "" } = container;
  return {
    name,
    image,
    imageID: stage === "pulling" ? "" : `simulated://${image}`,
    ready: stage === "ready",
    started: stage === "ready" || stage === "running",
    restartCount: 0,
    state: containerState(image, stage, exitCode, now),
  };
}

function containerState(image: string, stage: PodStage, exitCode: number, now: string): ContainerState {
  if (stage === "pulling") {
    return { waiting: { reason: "ImagePullBackOff", message: `Back-off pulling image ${JSON.stringify(image)}` } };
  }
  if (stage !== "ended") return { running: { startedAt: now } };
  return {
    terminated: { exitCode, reason: exitCode === 0 ? "Completed" : "Error", startedAt: now, finishedAt: now },
  };
}
