import { resourceUsage } from "node:process";
import type { ContainerStats } from "@skiff/runtime";
import type { NodeParts } from "../pods/node-parts.ts";

interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const escaped = (text: string): string => text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");

/** The lines of one metric; nothing where it has no samples. */
export function family(name: string, type: "counter" | "gauge", help: string, samples: readonly Sample[]): string {
  const lines = samples.map(({ labels, value }) => {
    const text = Object.entries(labels).map(([label, one]) => `${label}="${escaped(one)}"`);
    return `${name}${text.length === 0 ? "" : `{${text.join(",")}}`} ${value}\n`;
  });
  return lines.length === 0 ? "" : `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join("")}`;
}

const one = (value: number): readonly Sample[] => [{ labels: {}, value }];

/** The text of `/metrics`: the agent's own. */
export function nodeMetrics(parts: NodeParts): string {
  const pods = parts.cache.pods();
  const states = new Map<string, number>([["running", 0]]);
  for (const { uid } of pods)
    for (const { state } of parts.cache.view(uid).containers) states.set(state, (states.get(state) ?? 0) + 1);
  const running = pods.filter(({ uid }) => parts.cache.view(uid).sandboxes.some(({ state }) => state === "ready"));
  const { userCPUTime, systemCPUTime } = resourceUsage();
  const node = { labels: { node: parts.node.name }, value: 1 };
  const containers = [...states].map(([state, value]) => ({ labels: { container_state: state }, value }));
  return [
    family("kubelet_node_name", "gauge", "[ALPHA] The node's name. The count is always 1.", [node]),
    family(
      "kubelet_running_pods",
      "gauge",
      "[ALPHA] Number of pods that have a running pod sandbox",
      one(running.length),
    ),
    family("kubelet_running_containers", "gauge", "[ALPHA] Number of containers currently running", containers),
    family(
      "process_cpu_seconds_total",
      "counter",
      "Total user and system CPU time spent in seconds.",
      one((userCPUTime + systemCPUTime) / 1e6),
    ),
    family("process_resident_memory_bytes", "gauge", "Resident memory size in bytes.", one(process.memoryUsage.rss())),
    family(
      "process_start_time_seconds",
      "gauge",
      "Start time of the process since unix epoch in seconds.",
      one(parts.clock.now() / 1000 - process.uptime()),
    ),
  ].join("");
}

/** The text of `/metrics/cadvisor`: what each container uses, under the names that dashboards know. */
export async function cadvisorMetrics(parts: NodeParts, signal: AbortSignal): Promise<string> {
  const stats = new Map((await parts.runtime.containerStats(signal)).map((each) => [each.id, each]));
  const of = (value: (stats: ContainerStats) => number, more: Readonly<Record<string, string>> = {}): Sample[] =>
    parts.cache.pods().flatMap((pod) =>
      parts.cache.view(pod.uid).containers.flatMap(({ id, name, userImage }) => {
        const found = stats.get(id);
        if (found === undefined) return [];
        const labels = { container: name, id: `/${pod.uid}/${id}`, image: userImage, name: id };
        return [{ labels: { ...labels, namespace: pod.namespace, pod: pod.name, ...more }, value: value(found) }];
      }),
    );
  const gauge = (name: string, help: string, value: (stats: ContainerStats) => number) =>
    family(name, "gauge", help, of(value));
  return [
    family(
      "container_cpu_usage_seconds_total",
      "counter",
      "Cumulative cpu time consumed in seconds.",
      of((each) => each.cpuNanos / 1e9, { cpu: "total" }),
    ),
    gauge("container_memory_usage_bytes", "Current memory usage in bytes.", (each) => each.memoryUsageBytes),
    gauge("container_memory_working_set_bytes", "Current working set in bytes.", (each) => each.memoryWorkingSetBytes),
    gauge("container_memory_rss", "Size of RSS in bytes.", (each) => each.memoryRssBytes),
    gauge(
      "container_fs_usage_bytes",
      "Bytes consumed by the container on this filesystem.",
      (each) => each.writableLayerBytes,
    ),
    gauge("container_fs_inodes_total", "Number of inodes used by the container.", (each) => each.writableLayerInodes),
    family(
      "machine_cpu_cores",
      "gauge",
      "Number of logical CPU cores.",
      one(Number(parts.allocatable.cpu?.replace(/m$/, "e-3") ?? 0)),
    ),
    family(
      "machine_memory_bytes",
      "gauge",
      "Amount of memory installed on the machine.",
      one(parts.memoryCapacityBytes),
    ),
  ].join("");
}

/** The body of `/runningpods`: what the runtime has, as far as it knows. */
export const runningPods = ({ cache }: NodeParts): object => ({
  kind: "PodList",
  apiVersion: "v1",
  metadata: {},
  items: cache
    .pods()
    .filter(({ uid }) => cache.view(uid).sandboxes.some(({ state }) => state === "ready"))
    .map(({ name, namespace, uid }) => ({
      metadata: { name, namespace, uid },
      spec: {
        containers: cache
          .view(uid)
          .containers.filter(({ state }) => state === "running")
          .map((container) => ({ name: container.name, image: container.userImage, resources: {} })),
      },
      status: {},
    })),
});
