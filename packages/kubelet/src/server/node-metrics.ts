import { resourceUsage } from "node:process";
import type { NodeParts } from "../pods/node-parts.ts";
import { family, one } from "./metric-text.ts";

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
    ...parts.lifeCounts.list().map(({ name, help, samples }) => family(name, "counter", help, samples)),
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
