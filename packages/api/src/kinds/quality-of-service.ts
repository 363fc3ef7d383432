import type { Container, Pod, ResourceRequirements } from "../generated/types/core-v1.ts";
import { addQuantities, compareQuantities } from "../quantity.ts";

/** How a pod is treated when its node runs short. */
export type QosClass = "Guaranteed" | "Burstable" | "BestEffort";

const counted = ["cpu", "memory"];

/**
 * `Guaranteed` when all containers have equal requests and limits for cpu and memory, `BestEffort` when none has any.
 * Resources of the pod as a whole go before those of its containers.
 * https://kubernetes.io/docs/concepts/workloads/pods/pod-qos/
 */
export function qosClass({ spec }: Pick<Pod, "spec">): QosClass {
  const parts: readonly Pick<Container, "resources">[] =
    spec.resources?.requests || spec.resources?.limits ? [spec] : [...spec.containers, ...(spec.initContainers ?? [])];
  const requests = totals(parts, "requests");
  const limits = totals(parts, "limits");
  if (requests.size === 0 && limits.size === 0) return "BestEffort";
  const allLimited = parts.every(({ resources }) => counted.every((name) => isPositive(resources?.limits?.[name])));
  const equal =
    requests.size === limits.size &&
    [...requests].every(([name, amount]) => compareQuantities(limits.get(name) ?? "0", amount) === 0);
  return allLimited && equal ? "Guaranteed" : "Burstable";
}

const isPositive = (amount: string | undefined): boolean => amount !== undefined && compareQuantities(amount, "0") > 0;

function totals(
  parts: readonly { readonly resources?: ResourceRequirements | undefined }[],
  kind: "requests" | "limits",
): Map<string, string> {
  const sums = new Map<string, string>();
  for (const { resources } of parts) {
    for (const name of counted) {
      const amount = resources?.[kind]?.[name];
      if (amount !== undefined && isPositive(amount)) sums.set(name, addQuantities(sums.get(name) ?? "0", amount));
    }
  }
  return sums;
}
