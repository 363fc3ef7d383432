import { asMillis, asUnits, type Container, type Pod } from "@skiff/api";
import type { PodFailure } from "./pod-status.ts";
import { isSidecar } from "./restart-policy.ts";

/** Sysctls that are a pod's own and cannot hurt others. */
const safeSysctls: ReadonlySet<string> = new Set([
  "kernel.shm_rmid_forced",
  "net.ipv4.ip_local_port_range",
  "net.ipv4.tcp_syncookies",
  "net.ipv4.ping_group_range",
  "net.ipv4.ip_unprivileged_port_start",
  "net.ipv4.ip_local_reserved_ports",
  "net.ipv4.tcp_keepalive_time",
  "net.ipv4.tcp_fin_timeout",
  "net.ipv4.tcp_keepalive_intvl",
  "net.ipv4.tcp_keepalive_probes",
  "net.ipv4.tcp_rmem",
  "net.ipv4.tcp_wmem",
]);

const amountOf = (resource: string, text: string | undefined): number =>
  text === undefined ? 0 : resource === "cpu" ? asMillis(text) : asUnits(text);

/** What a pod asks for of one resource: its containers together, or its greediest init container. CPU in thousandths. */
export function podRequest(pod: Pod, resource: string): number {
  const of = (container: Container) => amountOf(resource, container.resources?.requests?.[resource]);
  const init = pod.spec.initContainers ?? [];
  const running = [...pod.spec.containers, ...init.filter(isSidecar)].reduce((sum, one) => sum + of(one), 0);
  return (
    Math.max(running, ...init.filter((one) => !isSidecar(one)).map(of)) +
    amountOf(resource, pod.spec.overhead?.[resource])
  );
}

/**
 * Whether the node takes a pod that was bound to it; the reason to fail it where not. The scheduler has seen to this
 * already, but pods may be bound by others, and the node may have changed.
 */
export function admitPod(
  pod: Pod,
  node: {
    readonly labels: Readonly<Record<string, string>>;
    readonly allocatable: Readonly<Record<string, string>>;
    /** Pods on the node that have not ended. */
    readonly others: readonly Pod[];
  },
): PodFailure | undefined {
  const rejected = (reason: string, message: string): PodFailure => ({
    reason,
    message: `Pod was rejected: ${message}`,
  });
  for (const [key, value] of Object.entries(pod.spec.nodeSelector ?? {})) {
    if (node.labels[key] !== value)
      return rejected(
        "NodeAffinity",
        "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector",
      );
  }
  for (const { name } of pod.spec.securityContext?.sysctls ?? []) {
    if (!safeSysctls.has(name.replaceAll("/", ".")))
      return rejected("SysctlForbidden", `forbidden sysctl: "${name}" not allowlisted`);
  }
  const pods = Number(node.allocatable.pods ?? "110");
  if (node.others.length + 1 > pods)
    return rejected(
      "OutOfpods",
      `Node didn't have enough resource: pods, requested: 1, used: ${node.others.length}, capacity: ${pods}`,
    );
  const resources = new Set(
    [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].flatMap((one) =>
      Object.keys(one.resources?.requests ?? {}),
    ),
  );
  for (const resource of resources) {
    const capacity = amountOf(resource, node.allocatable[resource]);
    const requested = podRequest(pod, resource);
    const used = node.others.reduce((sum, one) => sum + podRequest(one, resource), 0);
    if (requested > 0 && requested + used > capacity)
      return rejected(
        `OutOf${resource}`,
        `Node didn't have enough resource: ${resource}, requested: ${requested}, used: ${used}, capacity: ${capacity}`,
      );
  }
  return undefined;
}
