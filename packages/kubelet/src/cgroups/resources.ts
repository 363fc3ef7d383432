import { asMillis, asUnits, type Container, type Pod } from "@skiff/api";
import type { CgroupLimits } from "@skiff/host";
import type { LinuxResources } from "@skiff/runtime";
import { qosClass } from "../pods/qos.ts";
import { isSidecar } from "../pods/restart-policy.ts";

const periodUs = 100_000;

/** CPU shares for a request in thousandths of a core; 2 is the least the kernel takes. */
export const cpuShares = (milli: number): number => Math.min(262_144, Math.max(2, Math.floor((milli * 1024) / 1000)));

/** CFS quota for a limit in thousandths of a core; -1 for none. */
export const cpuQuotaUs = (milli: number): number =>
  milli <= 0 ? -1 : Math.max(1000, Math.floor((milli * periodUs) / 1000));

const cpu = (list: Record<string, string> | undefined): number | undefined =>
  list?.cpu === undefined ? undefined : asMillis(list.cpu);
const memory = (list: Record<string, string> | undefined): number | undefined =>
  list?.memory === undefined ? undefined : Math.ceil(asUnits(list.memory));

/** How ready the kernel is to kill a container when memory runs out: -997 (guaranteed) to 1000 (best effort). */
export function oomScoreAdj(pod: Pod, container: Container, memoryCapacityBytes: number): number {
  if (pod.spec.priorityClassName === "system-node-critical") return -997;
  const qos = qosClass(pod);
  if (qos === "Guaranteed") return -997;
  if (qos === "BestEffort") return 1000;
  const request = memory(container.resources?.requests) ?? memory(container.resources?.limits) ?? 0;
  const score = Math.floor(1000 - (1000 * request) / Math.max(1, memoryCapacityBytes));
  // At most just below best effort, at least just above guaranteed.
  return Math.min(999, Math.max(3, score));
}

/** A container's own limits. */
export function containerResources(pod: Pod, container: Container, memoryCapacityBytes: number): LinuxResources {
  const { requests, limits } = container.resources ?? {};
  const memoryLimit = memory(limits);
  return {
    cpuPeriodUs: periodUs,
    cpuQuotaUs: cpuQuotaUs(cpu(limits) ?? 0),
    cpuShares: cpuShares(cpu(requests) ?? cpu(limits) ?? 0),
    ...(memoryLimit === undefined || memoryLimit === 0 ? {} : { memoryLimitBytes: memoryLimit }),
    oomScoreAdj: oomScoreAdj(pod, container, memoryCapacityBytes),
  };
}

/** What a pod may use in all, as limits of its cgroup: set only where every container has one. */
export function podCgroupLimits(pod: Pod): CgroupLimits {
  const running = [...pod.spec.containers, ...(pod.spec.initContainers ?? []).filter(isSidecar)];
  const init = (pod.spec.initContainers ?? []).filter((one) => !isSidecar(one));
  const sum = (read: (container: Container) => number | undefined): number =>
    Math.max(
      running.reduce((total, one) => total + (read(one) ?? 0), 0),
      ...init.map((one) => read(one) ?? 0),
    );
  const every = (read: (container: Container) => number | undefined): boolean =>
    [...running, ...init].every((one) => (read(one) ?? 0) > 0);
  const limitCpu = (one: Container) => cpu(one.resources?.limits);
  const limitMemory = (one: Container) => memory(one.resources?.limits);
  const requestCpu = (one: Container) => cpu(one.resources?.requests) ?? limitCpu(one);
  return {
    cpuShares: cpuShares(sum(requestCpu)),
    ...(every(limitCpu) ? { cpuQuotaUs: cpuQuotaUs(sum(limitCpu)), cpuPeriodUs: periodUs } : {}),
    ...(every(limitMemory) ? { memoryLimitBytes: sum(limitMemory) } : {}),
  };
}
