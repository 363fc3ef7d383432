import type { Container, ContainerStatus, Pod } from "../../generated/types/core-v1.ts";
import { since } from "../human-duration.ts";
import { isPodTerminal, isSidecar, podCondition, podReady } from "../pod-state.ts";

/** The cells of `kubectl get pods` that are worked out from all containers together. */
export interface PodSummary {
  /** `1/2`: ready containers of all that keep running. */
  readonly ready: string;
  readonly status: string;
  /** `3 (2m ago)`. */
  readonly restarts: string;
}

/** Restarts so far and when the last one ended, in milliseconds; 0 for never. */
interface Restarts {
  count: number;
  lastMs: number;
}

/** How a pod does, in the words of `kubectl get pods`. */
export function summarizePod(pod: Pod, nowMs: number): PodSummary {
  const initContainers = pod.spec.initContainers ?? [];
  const total = pod.spec.containers.length + initContainers.filter(isSidecar).length;
  const begun = initializing(pod, initContainers);
  let { status, ready, restarts } = begun;
  if (!begun.waiting || podCondition(pod, "Initialized")?.status === "True") {
    const running = runningStatus(pod, status);
    status = running.status;
    ready += running.ready;
    restarts = begun.sidecarRestarts;
    for (const container of pod.status.containerStatuses ?? []) countRestarts(restarts, container);
  }
  if (pod.metadata.deletionTimestamp !== undefined) {
    if (pod.status.reason === "NodeLost") status = "Unknown";
    else if (!isPodTerminal(pod)) status = "Terminating";
  }
  return { ready: `${ready}/${total}`, status, restarts: restartsText(restarts, nowMs) };
}

function phaseText(pod: Pod): string {
  if (podCondition(pod, "PodScheduled")?.reason === "SchedulingGated") return "SchedulingGated";
  return pod.status?.reason || pod.status?.phase || "";
}

/** Walks the init containers up to the first that holds up the rest. */
function initializing(pod: Pod, initContainers: readonly Container[]) {
  const specs = new Map(initContainers.map((container) => [container.name, container]));
  const restarts: Restarts = { count: 0, lastMs: 0 };
  const sidecarRestarts: Restarts = { count: 0, lastMs: 0 };
  let ready = 0;
  for (const [index, container] of (pod.status?.initContainerStatuses ?? []).entries()) {
    const spec = specs.get(container.name);
    const sidecar = spec !== undefined && isSidecar(spec);
    countRestarts(restarts, container);
    if (sidecar) countRestarts(sidecarRestarts, container);
    if (container.state?.terminated?.exitCode === 0) continue;
    if (sidecar && container.started === true) {
      if (container.ready) ready++;
      continue;
    }
    const status = `Init:${initStatus(container, `${index}/${initContainers.length}`)}`;
    return { status, waiting: true, ready, restarts, sidecarRestarts };
  }
  return { status: phaseText(pod), waiting: false, ready, restarts, sidecarRestarts };
}

function initStatus({ state }: ContainerStatus, progress: string): string {
  if (state?.terminated) return endText(state.terminated);
  const reason = state?.waiting?.reason;
  return reason && reason !== "PodInitializing" ? reason : progress;
}

const endText = (end: {
  readonly reason?: string | undefined;
  readonly signal?: number | undefined;
  readonly exitCode: number;
}) => end.reason || (end.signal ? `Signal:${end.signal}` : `ExitCode:${end.exitCode}`);

/** The status of the first container that has something to tell, and how many are ready. */
function runningStatus(pod: Pod, phase: string): { readonly status: string; readonly ready: number } {
  let status = phase;
  let ready = 0;
  for (const { state, ready: isReady } of (pod.status?.containerStatuses ?? []).toReversed()) {
    if (state?.waiting?.reason) status = state.waiting.reason;
    else if (state?.terminated) status = endText(state.terminated);
    else if (isReady && state?.running) ready++;
  }
  if (status === "Completed" && ready > 0) status = podReady(pod) ? "Running" : "NotReady";
  return { status, ready };
}

function countRestarts(restarts: Restarts, { restartCount, lastState }: ContainerStatus): void {
  restarts.count += restartCount;
  const endedMs = Date.parse(lastState?.terminated?.finishedAt ?? "");
  if (endedMs > restarts.lastMs) restarts.lastMs = endedMs;
}

const restartsText = ({ count, lastMs }: Restarts, nowMs: number): string =>
  count === 0 || lastMs === 0 ? String(count) : `${count} (${since(new Date(lastMs).toISOString(), nowMs)} ago)`;
