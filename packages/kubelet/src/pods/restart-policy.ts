import type { Container, Pod } from "@skiff/api";

/** An init container that keeps running beside the others. */
export const isSidecar = (container: Container): boolean => container.restartPolicy === "Always";

export const sidecars = (pod: Pod): readonly Container[] => (pod.spec.initContainers ?? []).filter(isSidecar);

/** Whether a container of this pod is to run again after it ended with `exitCode`. */
export function restartsAfter(pod: Pod, container: Container, exitCode: number): boolean {
  for (const rule of container.restartPolicyRules ?? []) {
    const { operator, values } = rule.exitCodes ?? { operator: "", values: [] };
    const listed = (values ?? []).includes(exitCode);
    if (rule.action === "Restart" && (operator === "In" ? listed : operator === "NotIn" && !listed)) return true;
  }
  const init = (pod.spec.initContainers ?? []).some((one) => one.name === container.name);
  switch (container.restartPolicy ?? pod.spec.restartPolicy ?? "Always") {
    case "Never":
      return false;
    case "OnFailure":
      return exitCode !== 0;
    default:
      // An init container is done once it succeeded, whatever the pod's policy.
      return !init || isSidecar(container) || exitCode !== 0;
  }
}
