import type { Container, PodSpec } from "../../generated/types/core-v1.ts";

const members = ["initContainers", "containers", "ephemeralContainers"] as const;

/** All containers of a pod with their paths, in the order in which Kubernetes visits them. */
export function* containersWithPaths(field: string, spec: PodSpec): Iterable<readonly [string, Container]> {
  for (const member of members) {
    for (const [index, container] of (spec[member] ?? []).entries()) {
      yield [`${field}.${member}[${index}]`, container];
    }
  }
}
