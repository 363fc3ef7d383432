import type { Pod } from "@skiff/api";
import type { KubeletConfiguration } from "../config/kubelet-configuration.ts";

/** Pods of some priority, and how long they have to end when the machine shuts down. */
export interface ShutdownGroup {
  /** The least priority of its pods. */
  readonly priority: number;
  readonly graceSeconds: number;
}

const criticalPriority = 2_000_000_000;

/** The groups in the order in which they end, the least priority first. None: shutdowns are not waited for. */
export function shutdownGroups(configuration: KubeletConfiguration): readonly ShutdownGroup[] {
  const { shutdownGracePeriodMs, shutdownGracePeriodCriticalPodsMs, shutdownGracePeriodByPodPriority } = configuration;
  if (shutdownGracePeriodByPodPriority.length > 0)
    return shutdownGracePeriodByPodPriority.toSorted((a, b) => a.priority - b.priority);
  const others = shutdownGracePeriodMs - shutdownGracePeriodCriticalPodsMs;
  if (shutdownGracePeriodMs === 0 || others < 0) return [];
  return [
    { priority: 0, graceSeconds: Math.floor(others / 1000) },
    { priority: criticalPriority, graceSeconds: Math.floor(shutdownGracePeriodCriticalPodsMs / 1000) },
  ];
}

/** Pods by group: each belongs to the last group that asks for no more than its priority, or else to the first. */
export function groupPods(
  groups: readonly ShutdownGroup[],
  pods: readonly Pod[],
): readonly { readonly group: ShutdownGroup; readonly pods: readonly Pod[] }[] {
  const indexOf = (pod: Pod) =>
    Math.max(
      0,
      groups.findLastIndex(({ priority }) => priority <= (pod.spec.priority ?? 0)),
    );
  return groups.map((group, index) => ({ group, pods: pods.filter((pod) => indexOf(pod) === index) }));
}

/** How long a shutdown may take for the pods' sake. */
export const shutdownMs = (groups: readonly ShutdownGroup[]): number =>
  groups.reduce((sum, { graceSeconds }) => sum + graceSeconds * 1000, 0);
