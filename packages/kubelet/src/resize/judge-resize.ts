import { asMillis, asUnits, type Pod, podRequests } from "@skiff/api";

/** Whether a node grants what a pod asks for anew. */
export type ResizeVerdict =
  | { readonly kind: "granted" }
  /** There is not enough now, but there may be when other pods have gone. */
  | { readonly kind: "deferred"; readonly message: string }
  /** The node will never have enough. */
  | { readonly kind: "infeasible"; readonly message: string };

const resources = [
  ["cpu", asMillis],
  ["memory", asUnits],
] as const;

/** Judges a resize by what the node has, and by what it has granted to others. CPU counts in thousandths. */
export function judgeResize(
  pod: Pod,
  node: { readonly allocatable: Readonly<Record<string, string>>; readonly others: readonly Pod[] },
): ResizeVerdict {
  const requests = podRequests(pod);
  for (const [name, amount] of resources) {
    const requested = amount(requests[name] ?? "0");
    const capacity = amount(node.allocatable[name] ?? "0");
    if (requested > capacity) {
      const message = `Node didn't have enough capacity: ${name}, requested: ${requested}, capacity: ${capacity}`;
      return { kind: "infeasible", message };
    }
  }
  for (const [name, amount] of resources) {
    const requested = amount(requests[name] ?? "0");
    const capacity = amount(node.allocatable[name] ?? "0");
    const used = node.others.reduce((sum, other) => sum + amount(podRequests(other)[name] ?? "0"), 0);
    if (requested > 0 && requested + used > capacity) {
      const message = `Node didn't have enough resource: ${name}, requested: ${requested}, used: ${used}, capacity: ${capacity}`;
      return { kind: "deferred", message };
    }
  }
  return { kind: "granted" };
}

/** The text of an event about a resize: what is asked for, in JSON, after what became of it. */
export function resizeMessage(what: string, pod: Pod, error?: string): string {
  const list = (containers: Pod["spec"]["containers"] | undefined) =>
    (containers ?? []).map(({ name, resources: of }) => ({
      name,
      resources: {
        ...(of?.limits === undefined ? {} : { limits: of.limits }),
        ...(of?.requests === undefined ? {} : { requests: of.requests }),
      },
    }));
  const init = list(pod.spec.initContainers);
  return `${what}: ${JSON.stringify({
    ...(init.length === 0 ? {} : { initContainers: init }),
    containers: list(pod.spec.containers),
    generation: pod.metadata.generation ?? 0,
    ...(error === undefined ? {} : { error }),
  })}`;
}
