import type { NodeParts } from "../pods/node-parts.ts";
import type { VolumeStats } from "../volumes/volume-stats.ts";
import { family } from "./metric-text.ts";

type Measure = "capacityBytes" | "availableBytes" | "usedBytes" | "inodes" | "inodesFree" | "inodesUsed";

const measures: readonly (readonly [name: string, help: string, measure: Measure])[] = [
  ["capacity_bytes", "Capacity in bytes of the volume", "capacityBytes"],
  ["available_bytes", "Number of available bytes in the volume", "availableBytes"],
  ["used_bytes", "Number of used bytes in the volume", "usedBytes"],
  ["inodes", "Maximum number of inodes in the volume", "inodes"],
  ["inodes_free", "Number of free inodes in the volume", "inodesFree"],
  ["inodes_used", "Number of used inodes in the volume", "inodesUsed"],
];

/** The part of `/metrics` about claims: each once, however many pods have it. */
export async function volumeMetrics({ cache, volumeUsage }: NodeParts, signal: AbortSignal): Promise<string> {
  const all = await Promise.all(cache.pods().map(({ uid }) => volumeUsage.of(uid, signal)));
  const claims = new Map<string, VolumeStats>();
  for (const stats of all.flat()) {
    const { pvcRef } = stats;
    if (pvcRef !== undefined) claims.set(`${pvcRef.namespace}/${pvcRef.name}`, stats);
  }
  const samples = (value: (stats: VolumeStats) => number | undefined) =>
    [...claims.values()].flatMap((stats) => {
      const found = value(stats);
      const { namespace = "", name = "" } = stats.pvcRef ?? {};
      return found === undefined ? [] : [{ labels: { namespace, persistentvolumeclaim: name }, value: found }];
    });
  const gauge = (name: string, help: string, value: (stats: VolumeStats) => number | undefined) =>
    family(`kubelet_volume_stats_${name}`, "gauge", `[ALPHA] ${help}`, samples(value));
  const health =
    "Abnormal volume health status. The count is either 1 or 0. 1 indicates the volume is unhealthy, 0 indicates volume is healthy";
  return [
    ...measures.map(([name, help, measure]) => gauge(name, help, (stats) => stats[measure])),
    gauge("health_status_abnormal", health, ({ volumeHealthStats: told }) => told && Number(told.abnormal)),
  ].join("");
}
