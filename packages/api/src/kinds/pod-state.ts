import type { Container, Pod, PodCondition } from "../generated/types/core-v1.ts";

/** The condition of a type, where the pod has it. */
export const podCondition = (pod: Pod, type: string): PodCondition | undefined =>
  pod.status?.conditions?.find((condition) => condition.type === type);

/** True when the pod serves: all containers and readiness gates are ready. */
export const podReady = (pod: Pod): boolean => podCondition(pod, "Ready")?.status === "True";

/** True when the pod has ended and will not run again. */
export const isPodTerminal = (pod: Pod): boolean => pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed";

/** True for init containers that keep running beside the others. */
export const isSidecar = (container: Container): boolean => container.restartPolicy === "Always";

/** What the container's rules say of an exit code; `undefined` where none of them does. The first that matches counts. */
export function ruledAction(container: Container, exitCode: number): "Restart" | "RestartAllContainers" | undefined {
  for (const { action, exitCodes } of container.restartPolicyRules ?? []) {
    const listed = (exitCodes?.values ?? []).includes(exitCode);
    const matches = exitCodes?.operator === "In" ? listed : exitCodes?.operator === "NotIn" && !listed;
    if (matches && (action === "Restart" || action === "RestartAllContainers")) return action;
  }
  return undefined;
}
