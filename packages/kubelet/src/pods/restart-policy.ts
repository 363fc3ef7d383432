import { type Container, type Pod, ruledAction } from "@skiff/api";

/** An init container that keeps running beside the others. */
export const isSidecar = (container: Container): boolean => container.restartPolicy === "Always";

export const sidecars = (pod: Pod): readonly Container[] => (pod.spec.initContainers ?? []).filter(isSidecar);

export const isInitContainer = (pod: Pod, { name }: Pick<Container, "name">): boolean =>
  (pod.spec.initContainers ?? []).some((one) => one.name === name);

/** The container's own policy, or else its pod's. */
export const policyOf = (pod: Pod, container: Container): string =>
  container.restartPolicy ?? pod.spec.restartPolicy ?? "Always";

/** Whether a container of this pod is to run again after it ended with `exitCode`. */
export function restartsAfter(pod: Pod, container: Container, exitCode: number): boolean {
  if (ruledAction(container, exitCode) !== undefined) return true;
  switch (policyOf(pod, container)) {
    case "Never":
      return false;
    case "OnFailure":
      return exitCode !== 0;
    default:
      // An init container is done once it succeeded, whatever the pod's policy.
      return !isInitContainer(pod, container) || isSidecar(container) || exitCode !== 0;
  }
}
