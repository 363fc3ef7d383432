import { asUnits, type Pod, podRequests } from "@skiff/api";
import { qosClass } from "../pods/qos.ts";
import { resourceOf } from "./thresholds.ts";

/** What one pod uses. */
export interface PodUse {
  readonly memoryBytes: number;
  readonly diskBytes: number;
  readonly inodes: number;
  readonly pids: number;
}

export const noUse: PodUse = { memoryBytes: 0, diskBytes: 0, inodes: 0, pids: 0 };

const criticalPriority = 2_000_000_000;

/** Pods that the node must not evict: static ones, and those that a cluster cannot do without. */
export function isCritical(pod: Pod): boolean {
  const annotations = pod.metadata.annotations ?? {};
  if (annotations["kubernetes.io/config.mirror"] !== undefined) return true;
  const source = annotations["kubernetes.io/config.source"];
  return (source !== undefined && source !== "api") || (pod.spec.priority ?? 0) >= criticalPriority;
}

/**
 * Pods in the order in which they go: first those that use more than they asked for, then by priority, then by how much
 * more they use.
 * https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/#pod-selection-for-kubelet-eviction
 */
export function rankForEviction(pods: readonly Pod[], signal: string, use: (pod: Pod) => PodUse): readonly Pod[] {
  const resource = resourceOf(signal);
  const used = (pod: Pod): number => {
    const { memoryBytes, diskBytes, inodes, pids } = use(pod);
    return resource === "memory"
      ? memoryBytes
      : resource === "pids"
        ? pids
        : resource === "inodes"
          ? inodes
          : diskBytes;
  };
  const requested = (pod: Pod): number =>
    resource === "memory" || resource === "ephemeral-storage" ? asUnits(podRequests(pod)[resource] ?? "0") : 0;
  const excess = (pod: Pod): number => used(pod) - requested(pod);
  const exceeds = (pod: Pod): number => (excess(pod) > 0 ? 0 : 1);
  const byRequests = resource === "memory" || resource === "ephemeral-storage";
  return pods
    .filter((pod) => !isCritical(pod))
    .toSorted(
      (a, b) =>
        (byRequests ? exceeds(a) - exceeds(b) : 0) ||
        (a.spec.priority ?? 0) - (b.spec.priority ?? 0) ||
        excess(b) - excess(a),
    );
}

/** Whether a node under pressure takes a new pod; what the pod is told where it does not. */
export function pressureRefusal(pod: Pod, types: ReadonlySet<string>): string | undefined {
  if (types.size === 0 || isCritical(pod)) return undefined;
  // Memory that was asked for has been set aside: only pods that ask for none are turned away.
  if (types.size === 1 && types.has("MemoryPressure")) {
    if (qosClass(pod) !== "BestEffort") return undefined;
    const tolerated = (pod.spec.tolerations ?? []).some(
      ({ key, operator = "Equal", effect = "" }) =>
        (key === "node.kubernetes.io/memory-pressure" || (key ?? "") === "") &&
        (operator === "Exists" || key !== undefined) &&
        (effect === "" || effect === "NoSchedule"),
    );
    if (tolerated) return undefined;
  }
  return `The node had condition: [${[...types].join(" ")}]. `;
}

/** An amount as messages have it: binary for bytes. */
export function quantityText(amount: number, resource: string): string {
  const whole = Math.floor(amount);
  if (resource === "cpu" || resource === "pids" || resource === "inodes") return String(whole);
  const units = ["", "Ki", "Mi", "Gi", "Ti"];
  let value = whole;
  let at = 0;
  while (value !== 0 && value % 1024 === 0 && at < units.length - 1) {
    value /= 1024;
    at++;
  }
  return `${value}${units[at]}`;
}

/** Requests of a container as messages have them. */
export const requestText = (pod: Pod, container: string, resource: string): string => {
  const found = pod.spec.containers.find((one) => one.name === container)?.resources?.requests?.[resource];
  return found ?? "0";
};
