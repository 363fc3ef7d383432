import { timestamp } from "@skiff/base";
import type { ContainerStats } from "@skiff/runtime";
import type { NodeParts } from "../pods/node-parts.ts";
import type { PodIdentity } from "../pods/pod-identity.ts";

interface PodUsage {
  readonly pod: PodIdentity;
  readonly containers: readonly {
    readonly name: string;
    readonly startedAtMs: number;
    readonly stats: ContainerStats;
  }[];
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

/** The body of `/stats/summary`. */
export async function statsSummary(parts: NodeParts, signal: AbortSignal): Promise<object> {
  const time = timestamp(parts.clock.now());
  const pods = (await usage(parts, signal)).map(({ pod, containers }) => ({
    podRef: { name: pod.name, namespace: pod.namespace, uid: pod.uid },
    startTime: time,
    containers: containers.map(({ name, startedAtMs, stats }) => ({
      name,
      startTime: timestamp(startedAtMs),
      cpu: { time: timestamp(stats.atMs), usageCoreNanoSeconds: stats.cpuNanos },
      memory: {
        time: timestamp(stats.atMs),
        usageBytes: stats.memoryUsageBytes,
        workingSetBytes: stats.memoryWorkingSetBytes,
        rssBytes: stats.memoryRssBytes,
      },
      rootfs: {
        time: timestamp(stats.atMs),
        usedBytes: stats.writableLayerBytes,
        inodesUsed: stats.writableLayerInodes,
      },
    })),
  }));
  return { node: { nodeName: parts.node.name, startTime: time, memory: { time } }, pods };
}

/** The text of `/metrics/resource`. */
export async function resourceMetrics(parts: NodeParts, signal: AbortSignal): Promise<string> {
  const cpu: string[] = [];
  const memory: string[] = [];
  for (const { pod, containers } of await usage(parts, signal)) {
    for (const { name, stats } of containers) {
      const labels = `{container="${name}",namespace="${pod.namespace}",pod="${pod.name}"}`;
      cpu.push(`container_cpu_usage_seconds_total${labels} ${stats.cpuNanos / 1e9} ${stats.atMs}`);
      memory.push(`container_memory_working_set_bytes${labels} ${stats.memoryWorkingSetBytes} ${stats.atMs}`);
    }
  }
  return [
    "# HELP container_cpu_usage_seconds_total [STABLE] Cumulative cpu time consumed by the container in core-seconds",
    "# TYPE container_cpu_usage_seconds_total counter",
    ...cpu,
    "# HELP container_memory_working_set_bytes [STABLE] Current working set of the container in bytes",
    "# TYPE container_memory_working_set_bytes gauge",
    ...memory,
    "",
  ].join("\n");
}
