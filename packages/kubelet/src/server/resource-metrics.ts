import { machineMemory } from "../node/machine-memory.ts";
import type { NodeParts } from "../pods/node-parts.ts";
import { family, type Sample } from "./metric-text.ts";
import { type ContainerUsage, nodeUsage, type PodUsage, podDetails, type Sum, sumOf, usage } from "./usage.ts";

const cpuHelp = "[STABLE] Cumulative cpu time consumed by the";
const memoryHelp = "[STABLE] Current working set of the";

/** The text of `/metrics/resource`. */
export async function resourceMetrics(parts: NodeParts, signal: AbortSignal): Promise<string> {
  const pods = await usage(parts, signal);
  const node = nodeUsage(parts, pods);
  const atMs = parts.clock.now();
  const nodes = (value: number): readonly Sample[] => [{ labels: {}, value, atMs }];
  const containers = (value: (one: ContainerUsage) => number) => ofContainers(pods, value);
  return [
    family(
      "container_cpu_usage_seconds_total",
      "counter",
      `${cpuHelp} container in core-seconds`,
      containers(({ stats }) => stats.cpuNanos / 1e9),
    ),
    family(
      "container_memory_working_set_bytes",
      "gauge",
      `${memoryHelp} container in bytes`,
      containers(({ stats }) => stats.memoryWorkingSetBytes),
    ),
    family(
      "container_start_time_seconds",
      "gauge",
      "[STABLE] Start time of the container since unix epoch in seconds",
      containers(({ startedAtMs }) => startedAtMs / 1000),
    ),
    await swapUsage(parts, pods),
    family("node_cpu_usage_seconds_total", "counter", `${cpuHelp} node in core-seconds`, nodes(node.cpuNanos / 1e9)),
    family("node_memory_working_set_bytes", "gauge", `${memoryHelp} node in bytes`, nodes(node.memoryBytes)),
    family(
      "pod_cpu_usage_seconds_total",
      "counter",
      `${cpuHelp} pod in core-seconds`,
      ofPods(pods, ({ cpuNanos }) => cpuNanos / 1e9),
    ),
    family(
      "pod_memory_working_set_bytes",
      "gauge",
      `${memoryHelp} pod in bytes`,
      ofPods(pods, ({ memoryBytes }) => memoryBytes),
    ),
    family(
      "resource_scrape_error",
      "gauge",
      "[STABLE] 1 if there was an error while getting container metrics, 0 otherwise",
      [{ labels: {}, value: 0 }],
    ),
  ].join("");
}

const ofContainers = (pods: readonly PodUsage[], value: (one: ContainerUsage) => number): Sample[] =>
  pods.flatMap(({ pod, containers }) =>
    containers.map((one) => ({
      labels: { container: one.name, namespace: pod.namespace, pod: pod.name },
      value: value(one),
      atMs: one.stats.atMs,
    })),
  );

const ofPods = (pods: readonly PodUsage[], value: (sum: Sum) => number): Sample[] =>
  pods
    .filter(({ containers }) => containers.length > 0)
    .map(({ pod, containers }) => ({
      labels: { namespace: pod.namespace, pod: pod.name },
      value: value(sumOf(containers)),
      atMs: Math.max(...containers.map(({ stats }) => stats.atMs)),
    }));

/** Only told on machines that have swap: elsewhere there is nothing to measure, and reading it costs. */
async function swapUsage(parts: NodeParts, pods: readonly PodUsage[]): Promise<string> {
  const memory = parts.machineUsage === undefined ? undefined : machineMemory();
  if (memory === undefined || memory.swapTotalBytes === 0) return "";
  const atMs = parts.clock.now();
  const details = await Promise.all(pods.map((one) => podDetails(parts, one)));
  const ofPod = pods.flatMap(({ pod }, at): Sample[] => {
    const counters = details[at]?.counters;
    if (counters === undefined) return [];
    return [{ labels: { namespace: pod.namespace, pod: pod.name }, value: counters.swapBytes, atMs }];
  });
  const ofContainer = pods.flatMap(({ pod, containers }, at) =>
    containers.flatMap(({ id, name }): Sample[] => {
      const counters = details[at]?.containers.get(id);
      if (counters === undefined) return [];
      const labels = { container: name, namespace: pod.namespace, pod: pod.name };
      return [{ labels, value: counters.swapBytes, atMs }];
    }),
  );
  const help = (of: string) =>
    `[ALPHA] Current amount of the ${of} swap usage in bytes. Reported only on non-windows systems`;
  const used = memory.swapTotalBytes - memory.swapFreeBytes;
  return [
    family("container_swap_usage_bytes", "gauge", help("container"), ofContainer),
    family("node_swap_usage_bytes", "gauge", help("node"), [{ labels: {}, value: used, atMs }]),
    family("pod_swap_usage_bytes", "gauge", help("pod"), ofPod),
  ].join("");
}
