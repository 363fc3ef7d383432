import {
  asMillis,
  asUnits,
  type Container,
  type Pod,
  podLimits,
  podRequests,
  type ResourceRequirements,
} from "@skiff/api";
import type { CgroupLimits } from "@skiff/host";
import type { LinuxResources } from "@skiff/runtime";
import { qosClass } from "../pods/qos.ts";
import { isSidecar } from "../pods/restart-policy.ts";

const periodUs = 100_000;
/** Pods of this priority and above keep the node itself running. */
const nodeCriticalPriority = 2_000_001_000;

/** CPU shares for a request in thousandths of a core; 2 is the least the kernel takes. */
export const cpuShares = (milli: number): number => Math.min(262_144, Math.max(2, Math.floor((milli * 1024) / 1000)));

/** CFS quota for a limit in thousandths of a core; -1 for none. */
export const cpuQuotaUs = (milli: number): number =>
  milli <= 0 ? -1 : Math.max(1000, Math.floor((milli * periodUs) / 1000));

type Amounts = Readonly<Record<string, string>> | undefined;

const cpu = (list: Amounts): number | undefined => (list?.cpu === undefined ? undefined : asMillis(list.cpu));
const memory = (list: Amounts): number | undefined =>
  list?.memory === undefined ? undefined : Math.ceil(asUnits(list.memory));

const wholePod = ({ spec }: Pod): ResourceRequirements | undefined =>
  spec.resources?.requests || spec.resources?.limits ? spec.resources : undefined;

/** How ready the kernel is to kill a container when memory runs out: -997 (guaranteed) to 1000 (best effort). */
export function oomScoreAdj(pod: Pod, container: Container, memoryCapacityBytes: number): number {
  const { priorityClassName, priority = 0 } = pod.spec;
  if (priorityClassName === "system-node-critical" || priority >= nodeCriticalPriority) return -997;
  const qos = qosClass(pod);
  if (qos === "Guaranteed") return -997;
  if (qos === "BestEffort") return 1000;
  const share = sharedRequest(pod);
  const own = (one: Container) => memory(one.resources?.requests) ?? 0;
  const score = (request: number) => 1000 - Math.floor((1000 * (request + share)) / Math.max(1, memoryCapacityBytes));
  // A sidecar is not killed before all those it serves.
  const request = isSidecar(container)
    ? Math.max(own(container), Math.min(...pod.spec.containers.map(own)))
    : own(container);
  // At most just below best effort, at least just above guaranteed.
  return Math.min(999, Math.max(3, score(request)));
}

/** What each container has of the memory that the pod as a whole asks for beyond its containers. */
function sharedRequest({ spec }: Pod): number {
  const whole = memory(spec.resources?.requests) ?? 0;
  if (whole === 0) return 0;
  const { containers, initContainers = [] } = spec;
  const rest = whole - (memory(podRequests({ spec: { ...spec, resources: undefined, overhead: undefined } })) ?? 0);
  return Math.trunc(rest / (containers.length + initContainers.length));
}

const hugePages = (limits: Amounts) =>
  Object.entries(limits ?? {})
    .filter(([name]) => name.startsWith("hugepages-"))
    .map(([name, amount]) => ({
      // As the kernel names them: 2MB, 1GB.
      pageSize: name.slice("hugepages-".length).replace(/i$/, "B"),
      limitBytes: asUnits(amount),
    }));

/** A container's own limits; where it has none, those of the pod as a whole. */
export function containerResources(pod: Pod, container: Container, memoryCapacityBytes: number): LinuxResources {
  const { requests, limits } = container.resources ?? {};
  const whole = wholePod(pod)?.limits;
  const memoryLimit = memory(limits) ?? memory(whole);
  const huge = hugePages(limits);
  return {
    cpuPeriodUs: periodUs,
    cpuQuotaUs: cpuQuotaUs(cpu(limits) ?? cpu(whole) ?? 0),
    cpuShares: cpuShares(cpu(requests) ?? cpu(limits) ?? 0),
    ...(memoryLimit === undefined || memoryLimit === 0 ? {} : { memoryLimitBytes: memoryLimit }),
    oomScoreAdj: oomScoreAdj(pod, container, memoryCapacityBytes),
    ...(huge.length === 0 ? {} : { hugepageLimits: huge }),
  };
}

/** What a pod may use in all, as limits of its cgroup: set where the pod has them, or every one of its containers. */
export function podCgroupLimits(pod: Pod, podPidsLimit = -1): CgroupLimits {
  const pids = podPidsLimit > 0 ? { pids: podPidsLimit } : {};
  if (qosClass(pod) === "BestEffort") return { cpuShares: 2, ...pids };
  const containers = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])];
  const limits = podLimits(pod);
  const requests = podRequests(pod);
  const whole = wholePod(pod)?.limits;
  const limited = (read: (list: Amounts) => number | undefined): boolean =>
    read(whole) !== undefined || containers.every((one) => (read(one.resources?.limits) ?? 0) > 0);
  return {
    cpuShares: cpuShares(cpu(requests) ?? cpu(limits) ?? 0),
    ...(limited(cpu) ? { cpuQuotaUs: cpuQuotaUs(cpu(limits) ?? 0), cpuPeriodUs: periodUs } : {}),
    ...(limited(memory) ? { memoryLimitBytes: memory(limits) ?? -1 } : {}),
    ...pids,
  };
}
