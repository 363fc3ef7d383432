import { statfs } from "node:fs/promises";
import { type Clock, timestamp } from "@skiff/base";
import { folderSize } from "../eviction/folder-size.ts";
import type { PodVolume, PodVolumes } from "./pod-volumes.ts";
import type { MountedVolume, VolumeMeasure } from "./volume-plugin.ts";

/** A volume's usage as `/stats/summary` tells it. */
export interface VolumeStats extends Omit<VolumeMeasure, "condition"> {
  readonly name: string;
  readonly time: string;
  /** The claim it is had by. */
  readonly pvcRef?: { readonly name: string; readonly namespace: string };
  readonly volumeHealthStats?: { readonly abnormal: boolean };
}

/** Adding up files is work: it is done once in this time, however often somebody asks. */
const maxAgeMs = 60_000;

export interface VolumeUsageOptions {
  readonly volumes: Pick<PodVolumes, "of">;
  readonly clock: Clock;
  /** Hears of volumes that are not well; their health is told only where somebody listens. */
  readonly onAbnormal?: (podUid: string, text: string) => void;
}

/** The usage of pods' volumes, measured when somebody asks for it. */
export class VolumeUsage {
  readonly #options: VolumeUsageOptions;
  readonly #known = new Map<string, { readonly atMs: number; readonly stats: Promise<readonly VolumeStats[]> }>();

  constructor(options: VolumeUsageOptions) {
    this.#options = options;
  }

  /** The volumes of a pod whose usage can be found. */
  of(uid: string, signal: AbortSignal): Promise<readonly VolumeStats[]> {
    const nowMs = this.#options.clock.now();
    for (const [key, { atMs }] of this.#known) if (atMs < nowMs - maxAgeMs) this.#known.delete(key);
    const known = this.#known.get(uid);
    if (known !== undefined) return known.stats;
    const stats = this.#measure(uid, nowMs, signal);
    this.#known.set(uid, { atMs: nowMs, stats });
    stats.catch(() => this.#known.delete(uid));
    return stats;
  }

  async #measure(uid: string, nowMs: number, signal: AbortSignal): Promise<readonly VolumeStats[]> {
    const { volumes, onAbnormal } = this.#options;
    const all = await Promise.all(
      [...volumes.of(uid)].map(async ([name, volume]): Promise<readonly VolumeStats[]> => {
        const measured = await measure(uid, volume, signal);
        if (measured === undefined) return [];
        const { condition, ...rest } = measured;
        const claim = volume.spec.claimed?.claim.metadata;
        const health = condition === undefined || onAbnormal === undefined ? undefined : condition;
        if (health?.abnormal === true) onAbnormal?.(uid, `Volume ${name}: ${health.message}`);
        return [
          {
            name,
            time: timestamp(nowMs),
            ...rest,
            ...(claim === undefined ? {} : { pvcRef: { name: claim.name, namespace: claim.namespace } }),
            ...(health === undefined ? {} : { volumeHealthStats: { abnormal: health.abnormal } }),
          },
        ];
      }),
    );
    signal.throwIfAborted();
    return all.flat();
  }
}

async function measure(
  podUid: string,
  { mounted, spec, plugin }: PodVolume,
  signal: AbortSignal,
): Promise<VolumeMeasure | undefined> {
  // A volume that cannot be measured is no reason to tell nothing of the others.
  if (plugin.measure !== undefined) return plugin.measure({ podUid, spec, mounted }, signal).catch(() => undefined);
  return measureFiles(mounted);
}

async function measureFiles(mounted: MountedVolume): Promise<VolumeMeasure | undefined> {
  if (mounted.kind !== "files" || mounted.usage === "none") return undefined;
  const disk = await statfs(mounted.path).catch(() => undefined);
  if (disk === undefined) return undefined;
  const size =
    mounted.usage === "files"
      ? await folderSize(mounted.path)
      : { bytes: (disk.blocks - disk.bfree) * disk.bsize, inodes: disk.files - disk.ffree };
  return {
    capacityBytes: disk.blocks * disk.bsize,
    availableBytes: disk.bavail * disk.bsize,
    usedBytes: size.bytes,
    inodes: disk.files,
    inodesFree: disk.ffree,
    inodesUsed: size.inodes,
  };
}
