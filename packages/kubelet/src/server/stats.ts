import { timestamp } from "@skiff/base";
import { type CgroupCounters, type InterfaceCounters, machineInterfaces } from "@skiff/host";
import type { Observations } from "../eviction/thresholds.ts";
import { type MachineMemory, machineMemory } from "../node/machine-memory.ts";
import type { NodeParts } from "../pods/node-parts.ts";
import type { VolumeStats } from "../volumes/volume-stats.ts";
import {
  type ContainerUsage,
  logUsage,
  nodeUsage,
  type PodDetails,
  type PodUsage,
  podDetails,
  type Sum,
  sumOf,
  usage,
} from "./usage.ts";

type Left = Observations | undefined;

/** What a file system has and what is left of it; nothing where that is not known. `used` is what one user of it takes. */
function fileSystem(
  left: Left,
  signal: "nodefs" | "imagefs",
  used?: { readonly bytes: number; readonly inodes: number },
) {
  const space = left?.get(`${signal}.available`);
  if (space === undefined) return used === undefined ? {} : { usedBytes: used.bytes, inodesUsed: used.inodes };
  const inodes = left?.get(`${signal}.inodesFree`);
  const inodesUsed = used?.inodes ?? (inodes === undefined ? undefined : inodes.capacity - inodes.available);
  return {
    availableBytes: space.available,
    capacityBytes: space.capacity,
    usedBytes: used?.bytes ?? space.capacity - space.available,
    ...(inodes === undefined ? {} : { inodesFree: inodes.available, inodes: inodes.capacity }),
    ...(inodesUsed === undefined ? {} : { inodesUsed }),
  };
}

function cpu(parts: NodeParts, id: string, { atMs, cpuNanos }: { readonly atMs: number; readonly cpuNanos: number }) {
  const nanoCores = parts.cpuRates.nanoCores(id, { atMs, cpuNanos });
  return {
    time: timestamp(atMs),
    ...(nanoCores === undefined ? {} : { usageNanoCores: nanoCores }),
    usageCoreNanoSeconds: cpuNanos,
  };
}

const memory = (time: string, sum: Sum, counters: CgroupCounters | undefined) => ({
  time,
  usageBytes: sum.memoryUsageBytes,
  workingSetBytes: sum.memoryBytes,
  rssBytes: sum.memoryRssBytes,
  ...(counters === undefined ? {} : { pageFaults: counters.pageFaults, majorPageFaults: counters.majorPageFaults }),
});

/** The first interface is the one that counts, and all are listed. */
function network(time: string, interfaces: readonly InterfaceCounters[]): object {
  const [first] = interfaces;
  if (first === undefined) return {};
  const flat = ({ name, received, sent }: InterfaceCounters) => ({
    name,
    rxBytes: received.bytes,
    rxErrors: received.errors,
    txBytes: sent.bytes,
    txErrors: sent.errors,
  });
  return { network: { time, ...flat(first), interfaces: interfaces.map(flat) } };
}

async function containerSummary(
  parts: NodeParts,
  { pod }: PodUsage,
  one: ContainerUsage,
  { left, details }: { readonly left: Left; readonly details: PodDetails },
) {
  const time = timestamp(one.stats.atMs);
  const counters = details.containers.get(one.id);
  const logs = await logUsage(parts, pod, one.name);
  const layer = { bytes: one.stats.writableLayerBytes, inodes: one.stats.writableLayerInodes };
  return {
    name: one.name,
    startTime: timestamp(one.startedAtMs),
    cpu: cpu(parts, one.id, one.stats),
    memory: memory(time, sumOf([one]), counters),
    rootfs: { time, ...fileSystem(left, "imagefs", layer) },
    logs: { time, ...fileSystem(left, "nodefs", { bytes: logs.bytes, inodes: logs.files }) },
    ...(counters === undefined ? {} : { swap: { time, swapUsageBytes: counters.swapBytes } }),
  };
}

async function podSummary(
  parts: NodeParts,
  one: PodUsage,
  around: { readonly left: Left; readonly signal: AbortSignal },
) {
  const nowMs = parts.clock.now();
  const time = timestamp(nowMs);
  const { pod, containers } = one;
  const [details, volumes] = await Promise.all([podDetails(parts, one), parts.volumeUsage.of(pod.uid, around.signal)]);
  const started = containers.map(({ startedAtMs }) => startedAtMs);
  const { group, counters } = details;
  const added = sumOf(containers);
  const sum: Sum =
    group === undefined
      ? added
      : {
          cpuNanos: group.cpuNanos,
          memoryUsageBytes: group.memoryUsageBytes,
          memoryBytes: group.memoryWorkingSetBytes,
          memoryRssBytes: group.memoryRssBytes,
        };
  const summaries = await Promise.all(
    containers.map((container) => containerSummary(parts, one, container, { left: around.left, details })),
  );
  return {
    podRef: { name: pod.name, namespace: pod.namespace, uid: pod.uid },
    startTime: started.length === 0 ? time : timestamp(Math.min(...started)),
    containers: summaries,
    cpu: cpu(parts, pod.uid, { atMs: nowMs, cpuNanos: sum.cpuNanos }),
    memory: memory(time, sum, counters),
    ...network(time, details.interfaces),
    volume: volumes,
    "ephemeral-storage": { time, ...fileSystem(around.left, "nodefs", ephemeralStorage(summaries, volumes)) },
    ...(group === undefined ? {} : { process_stats: { process_count: details.processes } }),
    ...(counters === undefined ? {} : { swap: { time, swapUsageBytes: counters.swapBytes } }),
  };
}

/** What a pod has on the node's own disk: its containers' layers and logs, and its volumes without a claim. */
function ephemeralStorage(
  containers: readonly Awaited<ReturnType<typeof containerSummary>>[],
  volumes: readonly VolumeStats[],
): { readonly bytes: number; readonly inodes: number } {
  const parts = [
    ...containers.flatMap(({ rootfs, logs }) => [rootfs, logs]),
    ...volumes.filter(({ pvcRef }) => pvcRef === undefined),
  ];
  const sum = (values: readonly (number | undefined)[]) => values.reduce<number>((all, one) => all + (one ?? 0), 0);
  return { bytes: sum(parts.map((one) => one.usedBytes)), inodes: sum(parts.map((one) => one.inodesUsed)) };
}

/** The agent itself and all pods together, which are what of the node's processes is known by name. */
async function systemContainers(parts: NodeParts, time: string): Promise<readonly object[]> {
  const { rss } = process.memoryUsage();
  const own = process.cpuUsage();
  const atMs = parts.clock.now();
  const startTime = timestamp(atMs - process.uptime() * 1000);
  const kubelet = {
    name: "kubelet",
    startTime,
    cpu: cpu(parts, "kubelet", { atMs, cpuNanos: (own.user + own.system) * 1000 }),
    memory: { time, usageBytes: rss, workingSetBytes: rss, rssBytes: rss },
  };
  const all = await parts.cgroups.allStats();
  if (all === undefined) return [kubelet];
  const sum = {
    cpuNanos: all.cpuNanos,
    memoryUsageBytes: all.memoryUsageBytes,
    memoryBytes: all.memoryWorkingSetBytes,
    memoryRssBytes: all.memoryRssBytes,
  };
  const pods = {
    name: "pods",
    startTime,
    cpu: cpu(parts, "pods", { atMs, cpuNanos: sum.cpuNanos }),
    memory: memory(time, sum, undefined),
  };
  return [kubelet, pods];
}

const swapOf = (time: string, { swapTotalBytes, swapFreeBytes }: MachineMemory) => ({
  swap: { time, swapAvailableBytes: swapFreeBytes, swapUsageBytes: swapTotalBytes - swapFreeBytes },
});

async function nodeSummary(parts: NodeParts, all: readonly PodUsage[], left: Left): Promise<object> {
  const nowMs = parts.clock.now();
  const time = timestamp(nowMs);
  const node = nodeUsage(parts, all);
  const machine = parts.machineUsage === undefined ? undefined : machineMemory();
  const pids = left?.get("pid.available");
  const images = { time, ...fileSystem(left, "imagefs") };
  return {
    nodeName: parts.node.name,
    systemContainers: machine === undefined ? [] : await systemContainers(parts, time),
    startTime: time,
    cpu: cpu(parts, "node", { atMs: nowMs, cpuNanos: node.cpuNanos }),
    memory: {
      time,
      availableBytes: node.memoryAvailableBytes,
      usageBytes: node.memoryBytes,
      workingSetBytes: node.memoryBytes,
      ...(machine === undefined
        ? {}
        : {
            rssBytes: machine.rssBytes,
            pageFaults: machine.pageFaults,
            majorPageFaults: machine.majorPageFaults,
          }),
    },
    ...(machine === undefined ? {} : swapOf(time, machine)),
    ...(machine === undefined ? {} : network(time, await machineInterfaces())),
    ...(left?.has("nodefs.available") === true ? { fs: { time, ...fileSystem(left, "nodefs") } } : {}),
    ...(left?.has("imagefs.available") === true ? { runtime: { imageFs: images, containerFs: images } } : {}),
    ...(pids === undefined ? {} : { rlimit: { time, maxpid: pids.capacity, curproc: pids.capacity - pids.available } }),
  };
}

/** The body of `/stats/summary`. */
export async function statsSummary(parts: NodeParts, signal: AbortSignal): Promise<object> {
  const [all, left] = await Promise.all([usage(parts, signal), parts.signals?.()]);
  const [node, pods] = await Promise.all([
    nodeSummary(parts, all, left),
    Promise.all(all.map((one) => podSummary(parts, one, { left, signal }))),
  ]);
  return { node, pods };
}
