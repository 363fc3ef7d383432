import { asUnits } from "@skiff/api";
import type { CgroupCounters, DirectionCounters } from "@skiff/host";
import type { NodeParts } from "../pods/node-parts.ts";
import { family, one, type Sample } from "./metric-text.ts";
import { type ContainerUsage, nodeUsage, type PodDetails, type PodUsage, podDetails, usage } from "./usage.ts";

interface Seen extends PodUsage {
  readonly details: PodDetails;
}

type Labels = Readonly<Record<string, string>>;

const podLabels = ({ pod, details }: Seen): Labels => ({
  container: "",
  id: details.path ?? `/${pod.uid}`,
  image: "",
  name: "",
  namespace: pod.namespace,
  pod: pod.name,
});

const containerLabels = (seen: Seen, { id, name, image }: ContainerUsage): Labels => ({
  ...podLabels(seen),
  container: name,
  id: `${podLabels(seen).id}/${id}`,
  image,
  name: id,
});

/** A number of each container, and of each pod's group where there is one. */
function series(
  pods: readonly Seen[],
  value: { readonly container: (one: ContainerUsage) => number; readonly pod?: (seen: Seen) => number | undefined },
  more: Labels = {},
): Sample[] {
  return pods.flatMap((seen) => {
    const ofPod = value.pod?.(seen);
    const group = ofPod === undefined ? [] : [{ labels: { ...podLabels(seen), ...more }, value: ofPod }];
    return [
      ...group,
      ...seen.containers.map((container) => ({
        labels: { ...containerLabels(seen, container), ...more },
        value: value.container(container),
      })),
    ];
  });
}

/** A number that the kernel keeps for a control group. */
function counted(pods: readonly Seen[], value: (counters: CgroupCounters) => number, more: Labels = {}): Sample[] {
  return pods.flatMap((seen) => {
    const { counters, containers } = seen.details;
    const group = counters === undefined ? [] : [{ labels: { ...podLabels(seen), ...more }, value: value(counters) }];
    return [
      ...group,
      ...seen.containers.flatMap((container): Sample[] => {
        const found = containers.get(container.id);
        const labels = { ...containerLabels(seen, container), ...more };
        return found === undefined ? [] : [{ labels, value: value(found) }];
      }),
    ];
  });
}

/** A pod's network is that of its sandbox. */
function networkFamilies(pods: readonly Seen[]): readonly string[] {
  const of = (direction: "received" | "sent", field: keyof DirectionCounters): Sample[] =>
    pods.flatMap((seen) =>
      seen.details.interfaces.map((each) => ({
        labels: {
          ...podLabels(seen),
          id: `${podLabels(seen).id}/${seen.sandboxId ?? ""}`,
          interface: each.name,
          name: seen.sandboxId ?? "",
        },
        value: each[direction][field],
      })),
    );
  const fields = [
    ["bytes", "bytes"],
    ["packets", "packets"],
    ["errors", "errors"],
    ["packets_dropped", "dropped"],
  ] as const;
  return fields.flatMap(([name, field]) => {
    const what = name.replace("_", " ");
    return [
      family(
        `container_network_receive_${name}_total`,
        "counter",
        `Cumulative count of ${what} received`,
        of("received", field),
      ),
      family(
        `container_network_transmit_${name}_total`,
        "counter",
        `Cumulative count of ${what} transmitted`,
        of("sent", field),
      ),
    ];
  });
}

function memoryFamilies(pods: readonly Seen[]): readonly string[] {
  const gauge = (name: string, help: string, samples: readonly Sample[]) => family(name, "gauge", help, samples);
  return [
    gauge(
      "container_memory_usage_bytes",
      "Current memory usage in bytes, including all memory regardless of when it was accessed",
      series(pods, {
        container: ({ stats }) => stats.memoryUsageBytes,
        pod: ({ details }) => details.group?.memoryUsageBytes,
      }),
    ),
    gauge(
      "container_memory_working_set_bytes",
      "Current working set in bytes.",
      series(pods, {
        container: ({ stats }) => stats.memoryWorkingSetBytes,
        pod: ({ details }) => details.group?.memoryWorkingSetBytes,
      }),
    ),
    gauge(
      "container_memory_rss",
      "Size of RSS in bytes.",
      series(pods, {
        container: ({ stats }) => stats.memoryRssBytes,
        pod: ({ details }) => details.group?.memoryRssBytes,
      }),
    ),
    gauge(
      "container_memory_cache",
      "Number of bytes of page cache memory.",
      counted(pods, ({ cacheBytes }) => cacheBytes),
    ),
    gauge(
      "container_memory_mapped_file",
      "Size of memory mapped files in bytes.",
      counted(pods, ({ mappedFileBytes }) => mappedFileBytes),
    ),
    gauge(
      "container_memory_swap",
      "Container swap usage in bytes.",
      counted(pods, ({ swapBytes }) => swapBytes),
    ),
    family("container_memory_failures_total", "counter", "Cumulative count of memory allocation failures.", [
      ...counted(pods, ({ pageFaults }) => pageFaults, { failure_type: "pgfault", scope: "hierarchy" }),
      ...counted(pods, ({ majorPageFaults }) => majorPageFaults, { failure_type: "pgmajfault", scope: "hierarchy" }),
    ]),
    family(
      "container_oom_events_total",
      "counter",
      "Count of out of memory events observed for the container",
      counted(pods, ({ oomKills }) => oomKills),
    ),
  ];
}

function diskFamilies(pods: readonly Seen[]): readonly string[] {
  const counter = (name: string, help: string, value: (counters: CgroupCounters) => number) =>
    family(name, "counter", help, counted(pods, value, { device: "" }));
  const layer = { device: "" };
  return [
    counter("container_fs_reads_total", "Cumulative count of reads completed", ({ disk }) => disk.reads),
    counter("container_fs_writes_total", "Cumulative count of writes completed", ({ disk }) => disk.writes),
    counter("container_fs_reads_bytes_total", "Cumulative count of bytes read", ({ disk }) => disk.readBytes),
    counter("container_fs_writes_bytes_total", "Cumulative count of bytes written", ({ disk }) => disk.writtenBytes),
    family(
      "container_fs_usage_bytes",
      "gauge",
      "Number of bytes that are consumed by the container on this filesystem.",
      series(pods, { container: ({ stats }) => stats.writableLayerBytes }, layer),
    ),
    family(
      "container_fs_inodes_total",
      "gauge",
      "Number of Inodes",
      series(pods, { container: ({ stats }) => stats.writableLayerInodes }, layer),
    ),
  ];
}

function cpuFamilies(pods: readonly Seen[], nodeCpuNanos: number): readonly string[] {
  return [
    family("container_cpu_usage_seconds_total", "counter", "Cumulative cpu time consumed in seconds.", [
      {
        labels: { container: "", cpu: "total", id: "/", image: "", name: "", namespace: "", pod: "" },
        value: nodeCpuNanos / 1e9,
      },
      ...series(
        pods,
        {
          container: ({ stats }) => stats.cpuNanos / 1e9,
          pod: ({ details }) => (details.group === undefined ? undefined : details.group.cpuNanos / 1e9),
        },
        { cpu: "total" },
      ),
    ]),
    family(
      "container_cpu_cfs_periods_total",
      "counter",
      "Number of elapsed enforcement period intervals.",
      counted(pods, ({ cpuPeriods }) => cpuPeriods),
    ),
    family(
      "container_cpu_cfs_throttled_periods_total",
      "counter",
      "Number of throttled period intervals.",
      counted(pods, ({ cpuThrottledPeriods }) => cpuThrottledPeriods),
    ),
    family(
      "container_cpu_cfs_throttled_seconds_total",
      "counter",
      "Total time duration the container has been throttled.",
      counted(pods, ({ cpuThrottledNanos }) => cpuThrottledNanos / 1e9),
    ),
  ];
}

/** The text of `/metrics/cadvisor`: what containers and pods use, under the names that dashboards know. */
export async function cadvisorMetrics(parts: NodeParts, signal: AbortSignal): Promise<string> {
  const all = await usage(parts, signal);
  const pods = await Promise.all(
    all.map(async (pod): Promise<Seen> => ({ ...pod, details: await podDetails(parts, pod) })),
  );
  const nowSeconds = Math.floor(parts.clock.now() / 1000);
  return [
    family(
      "cadvisor_version_info",
      "gauge",
      "A metric with a constant '1' value labeled by kernel version, OS version.",
      [{ labels: { kubeletVersion: parts.node.kubeletVersion }, value: 1 }],
    ),
    ...cpuFamilies(pods, nodeUsage(parts, all).cpuNanos),
    ...diskFamilies(pods),
    ...memoryFamilies(pods),
    ...networkFamilies(pods),
    family(
      "container_last_seen",
      "gauge",
      "Last time a container was seen by the exporter",
      series(pods, { container: () => nowSeconds }),
    ),
    family(
      "container_start_time_seconds",
      "gauge",
      "Start time of the container since unix epoch in seconds.",
      series(pods, { container: ({ startedAtMs }) => Math.floor(startedAtMs / 1000) }),
    ),
    family(
      "container_processes",
      "gauge",
      "Number of processes running inside the container.",
      pods
        .filter(({ details }) => details.group !== undefined)
        .map((seen) => ({
          labels: podLabels(seen),
          value: seen.details.processes,
        })),
    ),
    family("machine_cpu_cores", "gauge", "Number of logical CPU cores.", one(asUnits(parts.allocatable.cpu ?? "0"))),
    family(
      "machine_memory_bytes",
      "gauge",
      "Amount of memory installed on the machine.",
      one(parts.memoryCapacityBytes),
    ),
  ].join("");
}
