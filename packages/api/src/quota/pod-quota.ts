import type { Container, Pod, PodAffinityTerm } from "../generated/types/core-v1.ts";
import { podLimits, podRequests, type ResourceAmounts } from "../kinds/pod-requests.ts";
import { isPodTerminal } from "../kinds/pod-state.ts";
import { qosClass } from "../kinds/quality-of-service.ts";
import { isDeviceResource } from "../kinds/resource-v1/device-resources.ts";
import { type QuotaEvaluator, type Scope, scopeMatches } from "./evaluator.ts";

const measured = ["cpu", "memory", "ephemeral-storage"] as const;

const fixed: ReadonlySet<string> = new Set([
  "pods",
  "count/pods",
  ...measured.flatMap((name) => [name, `requests.${name}`, `limits.${name}`]),
]);

/** Whoever limits these has to be told of them by every container: an old mistake that clients rely on. */
const demanded: ReadonlySet<string> = new Set(
  ["cpu", "memory"].flatMap((name) => [name, `requests.${name}`, `limits.${name}`]),
);

const isNative = (name: string): boolean => !name.includes("/") || name.includes("kubernetes.io/");

/** Pods: how many, and what they ask for until they have ended. */
export const podQuota: QuotaEvaluator<Pod> = {
  group: "",
  plural: "pods",
  counts: (name) =>
    fixed.has(name) ||
    name.startsWith("hugepages-") ||
    name.startsWith("requests.hugepages-") ||
    (name.startsWith("requests.") && (!isNative(name) || isDeviceResource(name.slice("requests.".length)))),
  usage(pod, nowMs) {
    const count = { "count/pods": "1" };
    return hasEnded(pod, nowMs) ? count : { ...count, ...computeUsage(podRequests(pod), podLimits(pod)) };
  },
  inScope,
  unmet,
  handles: ({ operation, subresource }) =>
    subresource === undefined ? operation === "CREATE" : subresource === "resize" && operation === "UPDATE",
};

/** Pods that have ended, or should have by now, use nothing. */
function hasEnded(pod: Pod, nowMs: number): boolean {
  if (isPodTerminal(pod)) return true;
  const { deletionTimestamp, deletionGracePeriodSeconds } = pod.metadata;
  if (deletionTimestamp === undefined || deletionGracePeriodSeconds === undefined) return false;
  return nowMs > Date.parse(deletionTimestamp) + deletionGracePeriodSeconds * 1000;
}

function computeUsage(requests: ResourceAmounts, limits: ResourceAmounts): ResourceAmounts {
  const used: Record<string, string> = { pods: "1" };
  for (const name of measured) {
    const [request, limit] = [requests[name], limits[name]];
    if (request !== undefined) {
      used[name] = request;
      used[`requests.${name}`] = request;
    }
    if (limit !== undefined) used[`limits.${name}`] = limit;
  }
  for (const [name, request] of Object.entries(requests)) {
    if (name.startsWith("hugepages-")) used[name] = request;
    if (name.startsWith("hugepages-") || isDeviceResource(name)) used[`requests.${name}`] = request;
  }
  return used;
}

function unmet(required: readonly string[], { spec }: Pod): string | undefined {
  const wanted = required.filter((name) => demanded.has(name)).sort();
  if (wanted.length === 0) return undefined;
  const pod = computeUsage(spec.resources?.requests ?? {}, spec.resources?.limits ?? {});
  const containers: readonly Pick<Container, "name" | "resources">[] = [
    ...spec.containers,
    ...(spec.initContainers ?? []),
  ];
  const missing = wanted.flatMap((name) => {
    if (pod[name] !== undefined) return [];
    const silent = containers
      .filter(({ resources }) => computeUsage(resources?.requests ?? {}, resources?.limits ?? {})[name] === undefined)
      .map((container) => container.name)
      .sort();
    return silent.length === 0 ? [] : [`${name} for: ${silent.join(",")}`];
  });
  return missing.length === 0 ? undefined : `must specify ${missing.join("; ")}`;
}

function inScope(scope: Scope, pod: Pod): boolean {
  const { activeDeadlineSeconds, priorityClassName } = pod.spec;
  switch (scope.scopeName) {
    case "Terminating":
      return activeDeadlineSeconds !== undefined && activeDeadlineSeconds >= 0;
    case "NotTerminating":
      return activeDeadlineSeconds === undefined || activeDeadlineSeconds < 0;
    case "BestEffort":
      return qosClass(pod) === "BestEffort";
    case "NotBestEffort":
      return qosClass(pod) !== "BestEffort";
    case "PriorityClass":
      return scopeMatches(scope, priorityClassName ? [priorityClassName] : []);
    case "CrossNamespacePodAffinity":
      return reachesOthers(pod);
    default:
      return false;
  }
}

/** True for pods whose placement depends on pods of other namespaces. */
function reachesOthers({ spec }: Pod): boolean {
  const { podAffinity, podAntiAffinity } = spec.affinity ?? {};
  const terms: readonly PodAffinityTerm[] = [podAffinity, podAntiAffinity].flatMap((affinity) => [
    ...(affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
    ...(affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map((preferred) => preferred.podAffinityTerm),
  ]);
  return terms.some(
    ({ namespaces, namespaceSelector }) => (namespaces?.length ?? 0) > 0 || namespaceSelector !== undefined,
  );
}
