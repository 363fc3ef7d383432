import type { ContainerStatus, Pod, PodFailurePolicy, PodFailurePolicyRule } from "@skiff/api";

/** What a pod's failure means for its job. */
export type FailureVerdict =
  | { readonly kind: "count" }
  | { readonly kind: "ignore" }
  | { readonly kind: "failIndex" }
  | { readonly kind: "failJob"; readonly message: string };

/** The first rule that matches decides. https://kubernetes.io/docs/concepts/workloads/controllers/job/#pod-failure-policy */
export function judgeFailure(policy: PodFailurePolicy | undefined, pod: Pod): FailureVerdict {
  if (pod.status?.phase !== "Failed") return { kind: "count" };
  for (const [index, rule] of (policy?.rules ?? []).entries()) {
    const why = whyMatched(rule, pod);
    if (why === undefined) continue;
    switch (rule.action) {
      case "Ignore":
        return { kind: "ignore" };
      case "FailIndex":
        return { kind: "failIndex" };
      case "FailJob":
        return { kind: "failJob", message: `${why} matching FailJob rule at index ${index}` };
      default:
        return { kind: "count" };
    }
  }
  return { kind: "count" };
}

function whyMatched({ onExitCodes, onPodConditions = [] }: PodFailurePolicyRule, pod: Pod): string | undefined {
  const name = `${pod.metadata.namespace}/${pod.metadata.name}`;
  if (onExitCodes !== undefined) {
    const { containerName, operator, values } = onExitCodes;
    const matches = (status: ContainerStatus) => {
      const code = status.state?.terminated?.exitCode ?? 0;
      const named = containerName === undefined || status.name === containerName;
      return code !== 0 && named && values.includes(code) === (operator === "In");
    };
    const statuses = [...(pod.status.containerStatuses ?? []), ...(pod.status.initContainerStatuses ?? [])];
    const found = statuses.find(matches);
    if (found === undefined) return undefined;
    return `Container ${found.name} for pod ${name} failed with exit code ${found.state?.terminated?.exitCode}`;
  }
  const condition = onPodConditions.find(({ type, status }) =>
    pod.status.conditions?.some((one) => one.type === type && one.status === (status ?? "True")),
  );
  return condition === undefined ? undefined : `Pod ${name} has condition ${condition.type}`;
}
