import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { type CgroupCounters, type CgroupStats, type InterfaceCounters, interfaceCounters } from "@skiff/host";
import type { ContainerStats } from "@skiff/runtime";
import type { MachineUsage } from "../node/machine-usage.ts";
import type { NodeParts } from "../pods/node-parts.ts";
import type { PodIdentity } from "../pods/pod-identity.ts";

/** What a container uses. */
export interface ContainerUsage {
  readonly id: string;
  readonly name: string;
  readonly image: string;
  readonly startedAtMs: number;
  readonly stats: ContainerStats;
}

export interface PodUsage {
  readonly pod: PodIdentity;
  readonly sandboxId: string | undefined;
  readonly containers: readonly ContainerUsage[];
}

/** What the runtime tells of all pods. */
export async function usage(parts: NodeParts, signal: AbortSignal): Promise<readonly PodUsage[]> {
  const all = new Map((await parts.runtime.containerStats(signal)).map((one) => [one.id, one]));
  return parts.cache.pods().map((pod) => {
    const { sandboxes, containers } = parts.cache.view(pod.uid);
    return {
      pod,
      sandboxId: sandboxes.find(({ state }) => state === "ready")?.id,
      containers: containers.flatMap(({ id, name, userImage, startedAtMs }) => {
        const stats = all.get(id);
        return stats === undefined ? [] : [{ id, name, image: userImage, startedAtMs, stats }];
      }),
    };
  });
}

/** What the kernel tells of one pod besides. */
export interface PodDetails {
  /** The pod's control group; absent where it has none. */
  readonly path: string | undefined;
  readonly group: CgroupStats | undefined;
  readonly counters: CgroupCounters | undefined;
  /** By container id. */
  readonly containers: ReadonlyMap<string, CgroupCounters>;
  /** None for pods on the node's network. */
  readonly interfaces: readonly InterfaceCounters[];
  readonly processes: number;
}

const nothing: PodDetails = {
  path: undefined,
  group: undefined,
  counters: undefined,
  containers: new Map(),
  interfaces: [],
  processes: 0,
};

/** Asks the kernel about a pod. */
export async function podDetails(parts: NodeParts, { pod, containers }: PodUsage): Promise<PodDetails> {
  const { cgroups } = parts;
  const object = parts.pods.active().find(({ metadata }) => metadata.uid === pod.uid);
  if (object === undefined) return nothing;
  const [group, counters, pids, ofContainers] = await Promise.all([
    cgroups.stats(object),
    cgroups.counters(object),
    cgroups.processes(object),
    Promise.all(containers.map(async ({ id }) => [id, await cgroups.counters(object, id)] as const)),
  ]);
  const [pid] = pids;
  const hasOwnNetwork = object.spec.hostNetwork !== true && pid !== undefined;
  return {
    path: group === undefined ? undefined : cgroups.path(object),
    group,
    counters,
    containers: new Map(ofContainers.flatMap(([id, found]) => (found === undefined ? [] : [[id, found] as const]))),
    interfaces: hasOwnNetwork ? await interfaceCounters(pid) : [],
    processes: pids.length,
  };
}

/** Bytes and files of a container's logs. */
export async function logUsage(
  parts: NodeParts,
  pod: PodIdentity,
  container: string,
): Promise<{ readonly bytes: number; readonly files: number }> {
  const folder = join(parts.folders.podLogs(pod), container);
  const names = await readdir(folder).catch(() => []);
  const sizes = await Promise.all(
    names.map((name) =>
      stat(join(folder, name)).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  );
  return { bytes: sizes.reduce((sum, size) => sum + size, 0), files: names.length };
}

export interface Sum {
  readonly cpuNanos: number;
  readonly memoryUsageBytes: number;
  readonly memoryBytes: number;
  readonly memoryRssBytes: number;
}

export const sumOf = (containers: readonly Pick<ContainerUsage, "stats">[]): Sum =>
  containers.reduce(
    (sum, { stats }) => ({
      cpuNanos: sum.cpuNanos + stats.cpuNanos,
      memoryUsageBytes: sum.memoryUsageBytes + stats.memoryUsageBytes,
      memoryBytes: sum.memoryBytes + stats.memoryWorkingSetBytes,
      memoryRssBytes: sum.memoryRssBytes + stats.memoryRssBytes,
    }),
    { cpuNanos: 0, memoryUsageBytes: 0, memoryBytes: 0, memoryRssBytes: 0 },
  );

/** What the node uses: the machine's own counters, or all pods together where there is no machine. */
export function nodeUsage(parts: NodeParts, pods: readonly PodUsage[]): MachineUsage {
  const measured = parts.machineUsage?.();
  if (measured !== undefined) return measured;
  const { cpuNanos, memoryBytes } = sumOf(pods.flatMap(({ containers }) => containers));
  return { cpuNanos, memoryBytes, memoryAvailableBytes: Math.max(0, parts.memoryCapacityBytes - memoryBytes) };
}
