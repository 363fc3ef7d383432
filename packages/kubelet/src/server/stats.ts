import { timestamp } from "@skiff/base";
import type { ContainerStats } from "@skiff/runtime";
import type { Observations } from "../eviction/thresholds.ts";
import type { MachineUsage } from "../node/machine-usage.ts";
import type { NodeParts } from "../pods/node-parts.ts";
import type { PodIdentity } from "../pods/pod-identity.ts";

interface ContainerUsage {
  readonly name: string;
  readonly startedAtMs: number;
  readonly stats: ContainerStats;
}

interface PodUsage {
  readonly pod: PodIdentity;
  readonly containers: readonly ContainerUsage[];
}

async function usage(parts: NodeParts, signal: AbortSignal): Promise<readonly PodUsage[]> {
  const all = new Map((await parts.runtime.containerStats(signal)).map((one) => [one.id, one]));
  return parts.cache.pods().map((pod) => ({
    pod,
    containers: parts.cache.view(pod.uid).containers.flatMap((one) => {
      const stats = all.get(one.id);
      return stats === undefined ? [] : [{ name: one.name, startedAtMs: one.startedAtMs, stats }];
    }),
  }));
}

interface Sum {
  readonly cpuNanos: number;
  readonly memoryUsageBytes: number;
  readonly memoryBytes: number;
  readonly memoryRssBytes: number;
}

const sumOf = (containers: readonly ContainerUsage[]): Sum =>
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
function nodeUsage(parts: NodeParts, pods: readonly PodUsage[]): MachineUsage {
  const measured = parts.machineUsage?.();
  if (measured !== undefined) return measured;
  const { cpuNanos, memoryBytes } = sumOf(pods.flatMap(({ containers }) => containers));
  return { cpuNanos, memoryBytes, memoryAvailableBytes: Math.max(0, parts.memoryCapacityBytes - memoryBytes) };
}

/** What a file system has and what is left of it; nothing where that is not known. */
function fileSystem(
  name: "fs" | "imageFs",
  left: Observations | undefined,
  { signal, time }: { readonly signal: "nodefs" | "imagefs"; readonly time: string },
): object {
  const space = left?.get(`${signal}.available`);
  if (space === undefined) return {};
  const inodes = left?.get(`${signal}.inodesFree`);
  const ofInodes =
    inodes === undefined
      ? {}
      : { inodesFree: inodes.available, inodes: inodes.capacity, inodesUsed: inodes.capacity - inodes.available };
  const { available, capacity } = space;
  return {
    [name]: { time, availableBytes: available, capacityBytes: capacity, usedBytes: capacity - available, ...ofInodes },
  };
}

function processes(left: Observations | undefined, time: string): object {
  const pids = left?.get("pid.available");
  return pids === undefined ? {} : { rlimit: { time, maxpid: pids.capacity, curproc: pids.capacity - pids.available } };
}

/** The body of `/stats/summary`. */
export async function statsSummary(parts: NodeParts, signal: AbortSignal): Promise<object> {
  const time = timestamp(parts.clock.now());
  const all = await usage(parts, signal);
  const node = nodeUsage(parts, all);
  const left = await parts.signals?.();
  const memory = (sum: Sum, at: string) => ({
    time: at,
    usageBytes: sum.memoryUsageBytes,
    workingSetBytes: sum.memoryBytes,
    rssBytes: sum.memoryRssBytes,
  });
  const volumes = await Promise.all(all.map(({ pod }) => parts.volumeUsage.of(pod.uid, signal)));
  const pods = all.map(({ pod, containers }, index) => {
    const started = containers.map(({ startedAtMs }) => startedAtMs);
    const sum = sumOf(containers);
    return {
      podRef: { name: pod.name, namespace: pod.namespace, uid: pod.uid },
      startTime: started.length === 0 ? time : timestamp(Math.min(...started)),
      cpu: { time, usageCoreNanoSeconds: sum.cpuNanos },
      memory: memory(sum, time),
      volume: volumes[index] ?? [],
      containers: containers.map(({ name, startedAtMs, stats }) => ({
        name,
        startTime: timestamp(startedAtMs),
        cpu: { time: timestamp(stats.atMs), usageCoreNanoSeconds: stats.cpuNanos },
        memory: memory(sumOf([{ name, startedAtMs, stats }]), timestamp(stats.atMs)),
        rootfs: {
          time: timestamp(stats.atMs),
          usedBytes: stats.writableLayerBytes,
          inodesUsed: stats.writableLayerInodes,
        },
      })),
    };
  });
  return {
    node: {
      nodeName: parts.node.name,
      startTime: time,
      cpu: { time, usageCoreNanoSeconds: node.cpuNanos },
      memory: {
        time,
        availableBytes: node.memoryAvailableBytes,
        usageBytes: node.memoryBytes,
        workingSetBytes: node.memoryBytes,
      },
      ...fileSystem("fs", left, { signal: "nodefs", time }),
      ...(left?.has("imagefs.available") === true
        ? { runtime: fileSystem("imageFs", left, { signal: "imagefs", time }) }
        : {}),
      ...processes(left, time),
    },
    pods,
  };
}

interface Sample {
  readonly labels?: string;
  readonly value: number;
  readonly atMs?: number;
}

const family = (name: string, type: "counter" | "gauge", help: string, samples: readonly Sample[]): string[] =>
  samples.length === 0
    ? []
    : [
        `# HELP ${name} [STABLE] ${help}`,
        `# TYPE ${name} ${type}`,
        ...samples.map(
          ({ labels, value, atMs }) =>
            `${name}${labels === undefined ? "" : `{${labels}}`} ${value}${atMs === undefined ? "" : ` ${atMs}`}`,
        ),
      ];

/** The text of `/metrics/resource`. */
export async function resourceMetrics(parts: NodeParts, signal: AbortSignal): Promise<string> {
  const pods = await usage(parts, signal);
  const node = nodeUsage(parts, pods);
  const nowMs = parts.clock.now();
  const ofContainers = (value: (one: ContainerUsage) => number): Sample[] =>
    pods.flatMap(({ pod, containers }) =>
      containers.map((one) => ({
        labels: `container="${one.name}",namespace="${pod.namespace}",pod="${pod.name}"`,
        value: value(one),
        atMs: one.stats.atMs,
      })),
    );
  const ofPods = (value: (sum: Sum) => number): Sample[] =>
    pods
      .filter(({ containers }) => containers.length > 0)
      .map(({ pod, containers }) => ({
        labels: `namespace="${pod.namespace}",pod="${pod.name}"`,
        value: value(sumOf(containers)),
        atMs: Math.max(...containers.map(({ stats }) => stats.atMs)),
      }));
  const cpuSeconds = (cpuNanos: number) => cpuNanos / 1e9;
  const cpuHelp = "Cumulative cpu time consumed by the";
  const memoryHelp = "Current working set of the";
  return [
    ...family(
      "container_cpu_usage_seconds_total",
      "counter",
      `${cpuHelp} container in core-seconds`,
      ofContainers(({ stats }) => cpuSeconds(stats.cpuNanos)),
    ),
    ...family(
      "container_memory_working_set_bytes",
      "gauge",
      `${memoryHelp} container in bytes`,
      ofContainers(({ stats }) => stats.memoryWorkingSetBytes),
    ),
    ...family(
      "container_start_time_seconds",
      "gauge",
      "Start time of the container since unix epoch in seconds",
      ofContainers(({ startedAtMs }) => startedAtMs / 1000),
    ),
    ...family("node_cpu_usage_seconds_total", "counter", `${cpuHelp} node in core-seconds`, [
      { value: cpuSeconds(node.cpuNanos), atMs: nowMs },
    ]),
    ...family("node_memory_working_set_bytes", "gauge", `${memoryHelp} node in bytes`, [
      { value: node.memoryBytes, atMs: nowMs },
    ]),
    ...family(
      "pod_cpu_usage_seconds_total",
      "counter",
      `${cpuHelp} pod in core-seconds`,
      ofPods(({ cpuNanos }) => cpuSeconds(cpuNanos)),
    ),
    ...family(
      "pod_memory_working_set_bytes",
      "gauge",
      `${memoryHelp} pod in bytes`,
      ofPods(({ memoryBytes }) => memoryBytes),
    ),
    ...family(
      "resource_scrape_error",
      "gauge",
      "1 if there was an error while getting container metrics, 0 otherwise",
      [{ value: 0 }],
    ),
    "",
  ].join("\n");
}
