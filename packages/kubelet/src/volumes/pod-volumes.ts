import { chmod, chown, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { asUnits, type Pod, Pods, type Volume } from "@skiff/api";
import { type Clock, describeError, isAbort, type Random } from "@skiff/base";
import type { EventRecorder } from "@skiff/client";
import type { Mounts } from "@skiff/host";
import type { PodFolders } from "../pods/folders.ts";
import { writeVolume } from "./atomic-writer.ts";
import { checkHostPath } from "./host-path.ts";
import { VolumeFailure } from "./payload.ts";
import type { ReferencedObjects } from "./referenced-objects.ts";
import type { ServiceAccountTokens } from "./service-account-token.ts";
import { volumePayload } from "./volume-payload.ts";

export interface PodVolumesOptions {
  readonly folders: PodFolders;
  readonly mounts: Mounts | undefined;
  readonly objects: ReferencedObjects;
  readonly tokens: ServiceAccountTokens;
  readonly recorder: EventRecorder;
  readonly clock: Clock;
  readonly random: Random;
  readonly allocatable: Readonly<Record<string, string>>;
}

/** Sets up, refreshes and takes away the volumes of pods. */
export class PodVolumes {
  readonly #options: PodVolumesOptions;

  constructor(options: PodVolumesOptions) {
    this.#options = options;
  }

  /** Makes the memory that secrets are kept in; fine when it is there already. */
  async prepare(signal: AbortSignal): Promise<void> {
    const { folders, mounts } = this.#options;
    await mkdir(folders.pods, { recursive: true, mode: 0o750 });
    await mkdir(folders.memory, { recursive: true, mode: 0o750 });
    if (mounts !== undefined && !(await mounts.isMountPoint(folders.memory)))
      await mounts.mountTmpfs(folders.memory, { mode: 0o750 }, signal);
  }

  /**
   * Sets up all volumes of a pod, or brings them up to date. Gives when that is to be done again at the latest (epoch
   * milliseconds). Throws `VolumeFailure` after recording a FailedMount event.
   */
  async setUp(pod: Pod, signal: AbortSignal): Promise<number> {
    const times = await Promise.all(
      (pod.spec.volumes ?? []).map(async (volume) => {
        try {
          return await this.#setUpOne(pod, volume, signal);
        } catch (error) {
          if (isAbort(error, signal)) throw error;
          const message = `MountVolume.SetUp failed for volume "${volume.name}" : ${describeError(error)}`;
          this.#options.recorder.record(Pods, pod, { type: "Warning", reason: "FailedMount", message });
          throw new VolumeFailure(message, { cause: error });
        }
      }),
    );
    return Math.min(Number.POSITIVE_INFINITY, ...times);
  }

  /** Folder (or file) on the node that a volume of a pod is. */
  pathOf(pod: Pod, volume: Volume): string {
    const { folders } = this.#options;
    const { uid } = pod.metadata;
    if (volume.hostPath !== undefined) return volume.hostPath.path;
    if (volume.secret !== undefined) return join(folders.podMemory(uid), "kubernetes.io~secret", volume.name);
    if (volume.projected !== undefined) return join(folders.podMemory(uid), "kubernetes.io~projected", volume.name);
    const plugin =
      volume.configMap !== undefined
        ? "kubernetes.io~configmap"
        : volume.downwardAPI !== undefined
          ? "kubernetes.io~downward-api"
          : "kubernetes.io~empty-dir";
    return folders.volume(uid, plugin, volume.name);
  }

  /** Unmounts and deletes everything of a pod that is gone. */
  async tearDown(uid: string, signal: AbortSignal): Promise<void> {
    const { folders, mounts, objects, tokens } = this.#options;
    objects.release(uid);
    tokens.forget(uid);
    await mounts?.unmountBelow(folders.pod(uid), signal);
    await rm(folders.podMemory(uid), { recursive: true, force: true });
    await rm(folders.pod(uid), { recursive: true, force: true });
  }

  async #setUpOne(pod: Pod, volume: Volume, signal: AbortSignal): Promise<number> {
    const { objects, tokens, clock, random, allocatable } = this.#options;
    const never = Number.POSITIVE_INFINITY;
    const path = this.pathOf(pod, volume);
    const group = pod.spec.securityContext?.fsGroup;
    if (volume.hostPath !== undefined) {
      await checkHostPath(volume.hostPath);
      return never;
    }
    if (volume.emptyDir !== undefined) {
      await this.#emptyDir(path, volume, { group, signal });
      return never;
    }
    const payload = await volumePayload(volume, { pod, objects, tokens, allocatable, signal });
    if (payload === undefined) {
      const kind = Object.keys(volume).find((key) => key !== "name") ?? "unknown";
      throw new VolumeFailure(`volumes of type ${kind} are not supported by this node`);
    }
    await mkdir(path, { recursive: true, mode: 0o755 });
    await writeVolume(path, payload.files, { nowMs: clock.now(), random, group });
    return payload.refreshAtMs;
  }

  async #emptyDir(
    path: string,
    { emptyDir }: Volume,
    { group, signal }: { readonly group: number | undefined; readonly signal: AbortSignal },
  ): Promise<void> {
    const { mounts } = this.#options;
    await mkdir(path, { recursive: true });
    if (emptyDir?.medium === "Memory" && mounts !== undefined && !(await mounts.isMountPoint(path))) {
      const sizeBytes = emptyDir.sizeLimit === undefined ? undefined : asUnits(emptyDir.sizeLimit);
      await mounts.mountTmpfs(path, { mode: 0o777, ...(sizeBytes ? { sizeBytes } : {}) }, signal);
    }
    if (group !== undefined) await chown(path, 0, group);
    // Set-group-id hands the group on to what is made inside.
    await chmod(path, group === undefined ? 0o777 : 0o2777);
  }
}
