import type { ContainerUsage, NodeUsage } from "./usage.ts";

type Draft = { -readonly [Field in keyof ContainerUsage]?: ContainerUsage[Field] };

const sample = /^([a-z_]+)(?:\{([^}]*)\})?\s+(\S+)(?:\s+(\d+))?\s*$/;
const label = /([a-z_]+)="((?:[^"\\]|\\.)*)"/g;

/** Reads what a kubelet tells at `/metrics/resource`. `nowMs` stands for times that it does not tell. */
export function parseUsage(text: string, nowMs: number): NodeUsage {
  const node: Draft = {};
  const containers = new Map<string, Draft>();
  for (const line of text.split("\n")) {
    if (line === "" || line.startsWith("#")) continue;
    const parts = sample.exec(line);
    if (parts === null) continue;
    const [, metric = "", labels = "", value = "", at] = parts;
    const reading = { value: Number(value), atMs: at === undefined ? nowMs : Number(at) };
    if (metric.startsWith("node_")) read(node, metric.slice("node_".length), reading);
    else if (metric.startsWith("container_")) {
      const named = Object.fromEntries([...labels.matchAll(label)].map(([, name, text]) => [name, text]));
      const { namespace = "", pod = "", container = "" } = named;
      const key = `${namespace}/${pod}/${container}`;
      const draft = containers.get(key) ?? { namespace, pod, container };
      containers.set(key, draft);
      read(draft, metric.slice("container_".length), reading);
    }
  }
  return {
    node: finished(node, undefined),
    containers: [...containers.values()].flatMap((draft) => finished(draft, draft.startedMs) ?? []),
  };
}

function read(into: Draft, metric: string, { value, atMs }: { readonly value: number; readonly atMs: number }): void {
  if (metric === "cpu_usage_seconds_total") {
    into.cpuNanos = value * 1e9;
    into.atMs = atMs;
  } else if (metric === "memory_working_set_bytes") into.memoryBytes = value;
  else if (metric === "start_time_seconds") into.startedMs = value * 1000;
}

function finished(draft: Draft, startedMs: number | undefined): ContainerUsage | undefined {
  const { atMs, cpuNanos, memoryBytes, namespace = "", pod = "", container = "" } = draft;
  if (atMs === undefined || cpuNanos === undefined || memoryBytes === undefined) return undefined;
  return { atMs, startedMs, cpuNanos, memoryBytes, namespace, pod, container };
}
