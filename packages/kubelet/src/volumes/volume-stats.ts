import { statfs } from "node:fs/promises";
import { type Clock, timestamp } from "@skiff/base";
import { folderSize } from "../eviction/folder-size.ts";
import type { PodVolume, PodVolumes } from "./pod-volumes.ts";

/** A volume's usage as `/stats/summary` tells it. */
export interface VolumeStats {
  readonly name: string;
  readonly time: string;
  readonly capacityBytes: number;
  readonly availableBytes: number;
  readonly usedBytes: number;
  readonly inodes: number;
  readonly inodesFree: number;
  readonly inodesUsed: number;
  /** The claim it is had by. */
  readonly pvcRef?: { readonly name: string; readonly namespace: string };
}

/** Adding up files is work: it is done once in this time, however often somebody asks. */
const maxAgeMs = 60_000;

/** The usage of pods' volumes, measured when somebody asks for it. */
export class VolumeUsage {
  readonly #volumes: Pick<PodVolumes, "of">;
  readonly #clock: Clock;
  readonly #known = new Map<string, { readonly atMs: number; readonly stats: readonly VolumeStats[] }>();

  constructor(volumes: Pick<PodVolumes, "of">, clock: Clock) {
    this.#volumes = volumes;
    this.#clock = clock;
  }

  /** The volumes of a pod whose usage can be found. */
  async of(uid: string): Promise<readonly VolumeStats[]> {
    const nowMs = this.#clock.now();
    for (const [key, { atMs }] of this.#known) if (atMs < nowMs - maxAgeMs) this.#known.delete(key);
    const known = this.#known.get(uid);
    if (known !== undefined) return known.stats;
    const all = await Promise.all([...this.#volumes.of(uid)].map(([name, volume]) => volumeStats(name, volume, nowMs)));
    const stats = all.filter((one) => one !== undefined);
    this.#known.set(uid, { atMs: nowMs, stats });
    return stats;
  }
}

async function volumeStats(name: string, volume: PodVolume, nowMs: number): Promise<VolumeStats | undefined> {
  const { mounted, spec } = volume;
  if (mounted.kind !== "files" || mounted.usage === "none") return undefined;
  const disk = await statfs(mounted.path).catch(() => undefined);
  if (disk === undefined) return undefined;
  const size =
    mounted.usage === "files"
      ? await folderSize(mounted.path)
      : { bytes: (disk.blocks - disk.bfree) * disk.bsize, inodes: disk.files - disk.ffree };
  const claim = spec.claimed?.claim.metadata;
  return {
    name,
    time: timestamp(nowMs),
    capacityBytes: disk.blocks * disk.bsize,
    availableBytes: disk.bavail * disk.bsize,
    usedBytes: size.bytes,
    inodes: disk.files,
    inodesFree: disk.ffree,
    inodesUsed: size.inodes,
    ...(claim === undefined ? {} : { pvcRef: { name: claim.name, namespace: claim.namespace } }),
  };
}
