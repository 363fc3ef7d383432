import type { ContainerStatus, Pod } from "@skiff/api";
import { isSidecar, restartsAfter } from "./restart-policy.ts";

export type PodPhase = "Pending" | "Running" | "Succeeded" | "Failed";

const byName = (statuses: readonly ContainerStatus[], name: string) => statuses.find((one) => one.name === name);

/** How far init containers are: all done, not yet, or failed with no second chance. */
function initProgress(pod: Pod, statuses: readonly ContainerStatus[]): "done" | "pending" | "failed" {
  for (const container of pod.spec.initContainers ?? []) {
    const status = byName(statuses, container.name);
    if (isSidecar(container)) {
      if (status?.started !== true && status?.state?.terminated === undefined) return "pending";
      continue;
    }
    const ended = status?.state?.terminated ?? status?.lastState?.terminated;
    if (ended === undefined) return "pending";
    if (ended.exitCode === 0 && status?.state?.terminated !== undefined) continue;
    return status?.state?.terminated !== undefined && !restartsAfter(pod, container, ended.exitCode)
      ? "failed"
      : "pending";
  }
  return "done";
}

/**
 * The pod's phase from the states of its containers. `terminal`: nothing of it runs any more and nothing will be started.
 * https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-phase
 */
export function podPhase(
  pod: Pod,
  init: readonly ContainerStatus[],
  app: readonly ContainerStatus[],
  options: { readonly terminal: boolean },
): PodPhase {
  const anyStarted = app.some((one) => one.state?.running ?? one.state?.terminated ?? one.lastState?.terminated);
  const progress = anyStarted ? "done" : initProgress(pod, init);
  if (progress === "failed") return "Failed";
  if (progress === "pending") return options.terminal ? "Failed" : "Pending";
  let [running, waiting, stopped, succeeded, final] = [0, 0, 0, 0, 0];
  for (const container of pod.spec.containers) {
    const status = byName(app, container.name);
    const ended = status?.state?.terminated;
    if (status?.state?.running !== undefined) running++;
    else if (ended !== undefined) {
      stopped++;
      if (ended.exitCode === 0) succeeded++;
      if (!restartsAfter(pod, container, ended.exitCode)) final++;
    } else if (status?.lastState?.terminated !== undefined) stopped++;
    else waiting++;
  }
  if (options.terminal) return stopped > 0 && stopped === succeeded && waiting === 0 ? "Succeeded" : "Failed";
  if (waiting > 0) return "Pending";
  if (running > 0) return "Running";
  if (final < stopped) return "Running";
  return stopped === succeeded ? "Succeeded" : "Failed";
}
