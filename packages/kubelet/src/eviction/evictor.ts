import type { Pod } from "@skiff/api";
import { describeError } from "@skiff/base";
import type { ContainerStats } from "@skiff/runtime";
import type { NodeParts } from "../pods/node-parts.ts";
import { podIdentity } from "../pods/pod-identity.ts";
import { folderSize } from "./folder-size.ts";
import { limitsLocalStorage, localStorageExcess } from "./local-storage.ts";
import { type MetThreshold, NodePressure } from "./pressure.ts";
import { type PodUse, quantityText, rankForEviction, requestText } from "./rank.ts";
import { type Observations, type PressureType, pressureOf, resourceOf, thresholdsOf } from "./thresholds.ts";

const checkMs = 10_000;
/** A pod that goes because memory or disk ran out gets no more time than this. */
const hardGraceSeconds = 1;

export interface EvictorOptions {
  readonly parts: NodeParts;
  /** What is left on the node. */
  readonly signals: () => Promise<Observations>;
  /** Frees disk without ending pods. */
  readonly reclaimDisk: (signal: AbortSignal) => Promise<void>;
  readonly evict: (pod: Pod, message: string, graceSeconds: number) => void;
  /** The node's conditions changed. */
  readonly onChange: () => void;
}

/** Ends pods before the node runs out of memory, disk or processes, and pods that have more on disk than they may. */
export class Evictor {
  readonly #options: EvictorOptions;
  readonly #pressure: NodePressure;

  constructor(options: EvictorOptions) {
    const { configuration } = options.parts;
    this.#options = options;
    this.#pressure = new NodePressure(thresholdsOf(configuration), configuration.evictionPressureTransitionPeriodMs);
  }

  /** The node's conditions that are true. */
  get types(): ReadonlySet<PressureType> {
    return this.#pressure.types;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#options.parts;
    for (;;) {
      try {
        await this.check(signal);
      } catch (error) {
        signal.throwIfAborted();
        logger.warn(`eviction: ${describeError(error)}`);
      }
      await clock.sleep(checkMs, signal);
    }
  }

  /** Looks once; ends at most one pod for want of something, so that its end can take effect first. */
  async check(signal: AbortSignal): Promise<void> {
    const { parts, signals, reclaimDisk, onChange } = this.#options;
    const before = this.types;
    let due = this.#pressure.observe(await signals(), parts.clock.monotonic());
    if (due.some((one) => pressureOf(one.signal) === "DiskPressure")) {
      await reclaimDisk(signal);
      due = this.#pressure.observe(await signals(), parts.clock.monotonic());
    }
    if (before.size !== this.types.size || [...before].some((type) => !this.types.has(type))) onChange();
    if (await this.#endExcessive(signal)) return;
    const [first] = due;
    if (first !== undefined) await this.#relieve(first, signal);
  }

  async #relieve(threshold: MetThreshold, signal: AbortSignal): Promise<void> {
    const { parts, evict } = this.#options;
    const resource = resourceOf(threshold.signal);
    parts.logger.warn(`attempting to reclaim ${resource}: ${threshold.signal} is ${Math.floor(threshold.available)}`);
    const stats = new Map((await parts.runtime.containerStats(signal)).map((one) => [one.id, one]));
    const pods = parts.pods.active().filter((pod) => pod.metadata.deletionTimestamp === undefined);
    const measured = await Promise.all(pods.map(async (pod) => [pod, await this.#use(pod, resource, stats)] as const));
    const use = new Map(measured.map(([pod, one]) => [pod.metadata.uid, one]));
    const none: PodUse = { memoryBytes: 0, diskBytes: 0, inodes: 0, pids: 0 };
    const [victim] = rankForEviction(pods, threshold.signal, (pod) => use.get(pod.metadata.uid) ?? none);
    if (victim === undefined) {
      parts.logger.warn(`there is no pod to evict for want of ${resource}`);
      return;
    }
    const grace =
      threshold.kind === "hard"
        ? hardGraceSeconds
        : Math.min(
            parts.configuration.evictionMaxPodGracePeriodSeconds,
            victim.spec.terminationGracePeriodSeconds ?? 30,
          );
    evict(victim, this.#message(victim, threshold, stats), grace);
  }

  #message(pod: Pod, threshold: MetThreshold, stats: ReadonlyMap<string, ContainerStats>): string {
    const resource = resourceOf(threshold.signal);
    const amounts = `Threshold quantity: ${quantityText(threshold.quantity, resource)}, available: ${Math.floor(threshold.available / (resource === "memory" || resource === "ephemeral-storage" ? 1024 : 1))}${resource === "memory" || resource === "ephemeral-storage" ? "Ki" : ""}. `;
    const containers = this.#options.parts.cache
      .view(pod.metadata.uid)
      .containers.filter((one) => one.state === "running")
      .map((one) => {
        const of = stats.get(one.id);
        const used = resource === "memory" ? (of?.memoryWorkingSetBytes ?? 0) : (of?.writableLayerBytes ?? 0);
        const request = requestText(pod, one.name, resource);
        return `Container ${one.name} was using ${quantityText(used, resource)}, request is ${request}, has larger consumption of ${resource}. `;
      });
    const larger = resource === "memory" || resource === "ephemeral-storage" ? containers.join("") : "";
    return `The node was low on resource: ${resource}. ${amounts}${larger}`;
  }

  async #use(pod: Pod, resource: string, stats: ReadonlyMap<string, ContainerStats>): Promise<PodUse> {
    const { cache, cgroups } = this.#options.parts;
    const containers = cache.view(pod.metadata.uid).containers.flatMap((one) => stats.get(one.id) ?? []);
    const group = await cgroups.stats(pod);
    const disk = resource === "memory" || resource === "pids" ? { bytes: 0, inodes: 0 } : await this.#folders(pod);
    return {
      memoryBytes: containers.reduce((sum, one) => sum + one.memoryWorkingSetBytes, 0),
      diskBytes: disk.bytes + containers.reduce((sum, one) => sum + one.writableLayerBytes, 0),
      inodes: disk.inodes + containers.reduce((sum, one) => sum + one.writableLayerInodes, 0),
      pids: group?.pids ?? 0,
    };
  }

  async #folders(pod: Pod): Promise<{ readonly bytes: number; readonly inodes: number }> {
    const { folders } = this.#options.parts;
    const sizes = await Promise.all([folders.pod(pod.metadata.uid), folders.podLogs(podIdentity(pod))].map(folderSize));
    return sizes.reduce((a, b) => ({ bytes: a.bytes + b.bytes, inodes: a.inodes + b.inodes }));
  }

  /** Ends pods that have more on disk than their limits; true when there were any. */
  async #endExcessive(signal: AbortSignal): Promise<boolean> {
    const { parts, evict } = this.#options;
    const limited = parts.pods.active().filter(limitsLocalStorage);
    if (limited.length === 0) return false;
    const stats = new Map((await parts.runtime.containerStats(signal)).map((one) => [one.id, one]));
    let found = false;
    for (const pod of limited) {
      const message = localStorageExcess(pod, await this.#localStorage(pod, stats));
      if (message === undefined) continue;
      found = true;
      evict(pod, message, hardGraceSeconds);
    }
    return found;
  }

  async #localStorage(pod: Pod, stats: ReadonlyMap<string, ContainerStats>) {
    const { folders, cache, volumes } = this.#options.parts;
    const { uid } = pod.metadata;
    const emptyDirs = new Map<string, number>();
    for (const { name, emptyDir } of pod.spec.volumes ?? []) {
      const mounted = emptyDir === undefined ? undefined : volumes.find(uid, name)?.mounted;
      if (mounted?.kind === "files") emptyDirs.set(name, (await folderSize(mounted.path)).bytes);
    }
    const containers = new Map<string, number>();
    for (const { name } of pod.spec.containers) {
      const logs = await folderSize(`${folders.podLogs(podIdentity(pod))}/${name}`);
      const last = cache.view(uid).containers.find((one) => one.name === name);
      const layer = last === undefined ? 0 : (stats.get(last.id)?.writableLayerBytes ?? 0);
      containers.set(name, logs.bytes + layer);
    }
    return { emptyDirs, containers };
  }
}
