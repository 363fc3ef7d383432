import type { Node, NodeCondition, Taint } from "@skiff/api";
import { timestamp } from "@skiff/base";

const unreachable = "node.kubernetes.io/unreachable";
const notReady = "node.kubernetes.io/not-ready";

/** Conditions that a silent node can no longer vouch for. */
const reported = ["Ready", "MemoryPressure", "DiskPressure", "PIDPressure"] as const;

export const nodeCondition = (node: Node, type: string): NodeCondition | undefined =>
  node.status?.conditions?.find((condition) => condition.type === type);

export const isNodeReady = (node: Node): boolean => nodeCondition(node, "Ready")?.status === "True";

/** The conditions of a node that has not been heard of for too long; `undefined` when they say so already. */
export function silentConditions(node: Node, nowMs: number): NodeCondition[] | undefined {
  const before = node.status?.conditions ?? [];
  const now = timestamp(nowMs);
  const unknown = (type: string): NodeCondition => {
    const old = nodeCondition(node, type);
    if (old?.status === "Unknown") return old;
    return old === undefined
      ? {
          type,
          status: "Unknown",
          lastHeartbeatTime: node.metadata.creationTimestamp,
          lastTransitionTime: now,
          reason: "NodeStatusNeverUpdated",
          message: "Kubelet never posted node status.",
        }
      : {
          ...old,
          status: "Unknown",
          lastTransitionTime: now,
          reason: "NodeStatusUnknown",
          message: "Kubelet stopped posting node status.",
        };
  };
  if (reported.every((type) => nodeCondition(node, type)?.status === "Unknown")) return undefined;
  const others = before.filter(({ type }) => !reported.some((known) => known === type));
  return [...others, ...reported.map(unknown)];
}

const managed: ReadonlySet<string> = new Set([
  `${notReady} NoSchedule`,
  `${unreachable} NoSchedule`,
  `${notReady} NoExecute`,
  `${unreachable} NoExecute`,
  "node.kubernetes.io/memory-pressure NoSchedule",
  "node.kubernetes.io/disk-pressure NoSchedule",
  "node.kubernetes.io/pid-pressure NoSchedule",
  "node.kubernetes.io/network-unavailable NoSchedule",
  "node.kubernetes.io/unschedulable NoSchedule",
]);

const taintKey = ({ key, effect }: Taint): string => `${key} ${effect}`;

/** Whether pods are taken off a node that is not ready: at once, not before it is the node's turn, or not at all. */
export type Eviction = "now" | "later" | "never";

const evicts = ({ key, effect }: Taint): boolean => effect === "NoExecute" && (key === notReady || key === unreachable);

/** Pods are to be taken off the node, and it does not say so yet. */
export const awaitsEviction = (node: Node): boolean => !isNodeReady(node) && !(node.spec.taints ?? []).some(evicts);

/**
 * The taints that follow from a node's conditions, beside those that others have set; `undefined` when they are as they
 * should be.
 */
export function plannedTaints(
  node: Node,
  options: { readonly eviction: Eviction; readonly nowMs: number },
): Taint[] | undefined {
  const before = node.spec.taints ?? [];
  // A node whose pods are being evicted goes on saying why, whoever's turn it is.
  const evict = options.eviction === "now" || (options.eviction === "later" && before.some(evicts));
  const wanted = wantedTaints(node, evict);
  const kept = before.filter(
    (taint) => !managed.has(taintKey(taint)) || wanted.some((want) => taintKey(want) === taintKey(taint)),
  );
  const fresh = wanted.filter((want) => !before.some((taint) => taintKey(taint) === taintKey(want)));
  if (fresh.length === 0 && kept.length === before.length) return undefined;
  return [...kept, ...fresh.map((taint) => ({ ...taint, timeAdded: timestamp(options.nowMs) }))];
}

function wantedTaints(node: Node, evict: boolean): Taint[] {
  const is = (type: string, status: string) => nodeCondition(node, type)?.status === status;
  const noSchedule = (key: string, when: boolean): Taint[] => (when ? [{ key, effect: "NoSchedule" }] : []);
  const noExecute = (key: string, when: boolean): Taint[] => (when && evict ? [{ key, effect: "NoExecute" }] : []);
  return [
    ...noSchedule(notReady, is("Ready", "False")),
    ...noSchedule(unreachable, is("Ready", "Unknown")),
    ...noSchedule("node.kubernetes.io/memory-pressure", is("MemoryPressure", "True")),
    ...noSchedule("node.kubernetes.io/disk-pressure", is("DiskPressure", "True")),
    ...noSchedule("node.kubernetes.io/pid-pressure", is("PIDPressure", "True")),
    ...noSchedule("node.kubernetes.io/network-unavailable", is("NetworkUnavailable", "True")),
    ...noSchedule("node.kubernetes.io/unschedulable", node.spec.unschedulable === true),
    ...noExecute(notReady, is("Ready", "False")),
    ...noExecute(unreachable, is("Ready", "Unknown")),
  ];
}
