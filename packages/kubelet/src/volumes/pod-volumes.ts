import { rmSync } from "node:fs";
import { lstat, mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { type Pod, Pods, type Volume } from "@skiff/api";
import { type Clock, describeError, isAbort } from "@skiff/base";
import type { Client, EventRecorder } from "@skiff/client";
import { isWithin, type Mounts, removeTree } from "@skiff/host";
import type { PodFolders } from "../pods/folders.ts";
import { resolveVolume, volumeUses } from "./claims.ts";
import { applyFsGroup } from "./fs-group.ts";
import {
  type MountedVolume,
  pluginFolder,
  VolumeAwaited,
  VolumeFailure,
  type VolumePlugin,
  type VolumeSpec,
  VolumeUnresolved,
} from "./volume-plugin.ts";

export interface PodVolumesOptions {
  readonly folders: PodFolders;
  readonly mounts: Mounts | undefined;
  /** The first that supports a volume provides it. */
  readonly plugins: readonly VolumePlugin[];
  readonly client: Client;
  readonly recorder: EventRecorder;
  readonly clock: Clock;
  /** Ends what other parts keep for the volumes of a pod that is gone. */
  readonly onGone: (uid: string) => void;
  /** What `inUse` gives has changed. */
  readonly onInUse?: () => void;
}

const isShared = async (mounts: Mounts, target: string): Promise<boolean> =>
  (await mounts.list()).some((one) => one.target === target && one.propagation === "shared");

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR")) return [];
    throw error;
  }
}

/** A volume of a pod that has been set up. */
export interface PodVolume {
  readonly spec: VolumeSpec;
  readonly plugin: VolumePlugin;
  readonly mounted: MountedVolume;
}

/** How setting up a pod's volumes went. */
export interface SetUpResult {
  /** Names of volumes that are not there yet. */
  readonly missing: readonly string[];
  /** Something failed this time: a volume is missing, or shows what it showed before. */
  readonly failed: boolean;
  /** Why some could not even be looked for: texts of `VolumeUnresolved`, by volume. */
  readonly unresolved: ReadonlyMap<string, string>;
  /** Names of those that wait for somebody else, who is at it. */
  readonly unattached: readonly string[];
  /** When volumes that are there want to be set up again (epoch milliseconds). */
  readonly refreshAtMs: number;
}

interface Kept {
  readonly volumes: Map<string, PodVolume>;
  /** Resolved, by name; those of claims are in use from now on until everything of the pod is torn down. */
  readonly specs: Map<string, { readonly spec: VolumeSpec; readonly plugin: VolumePlugin }>;
}

/** Sets up, refreshes and takes away the volumes of pods. */
export class PodVolumes {
  readonly #options: PodVolumesOptions;
  readonly #pods = new Map<string, Kept>();
  /** Pods with a volume that somebody else has to do something about first. */
  readonly #awaiting = new Set<string>();
  /** Pods of which no volume is left, only other files. */
  readonly #tornDown = new Set<string>();
  #told = "";

  constructor(options: PodVolumesOptions) {
    this.#options = options;
  }

  /** Makes the pods' folders and the memory that secrets are kept in; fine when they are there already. */
  async prepare(signal: AbortSignal): Promise<void> {
    const { folders, mounts } = this.#options;
    await mkdir(folders.pods, { recursive: true, mode: 0o750 });
    // Mounts that containers make or wait for pass through here (mountPropagation).
    if (mounts !== undefined && !(await isShared(mounts, folders.root))) await mounts.makeShared(folders.root, signal);
    await mkdir(folders.memory, { recursive: true, mode: 0o750 });
    if (mounts !== undefined && !(await mounts.isMountPoint(folders.memory)))
      await mounts.mountTmpfs(folders.memory, { mode: 0o750 }, signal);
  }

  /**
   * Sets up the volumes that containers of a pod use: those that are missing, and those that follow something that may have
   * changed. Records a FailedMount event for each that fails.
   */
  async setUp(pod: Pod, signal: AbortSignal): Promise<SetUpResult> {
    const kept = this.#kept(pod.metadata.uid);
    const { mounted, asDevice } = volumeUses(pod);
    const used = (pod.spec.volumes ?? []).filter(({ name }) => mounted.has(name) || asDevice.has(name));
    const unresolved = new Map<string, string>();
    let failed = false;
    const unattached: string[] = [];
    await Promise.all(
      used.map(async (volume) => {
        const before = kept.volumes.get(volume.name);
        if (before !== undefined && !this.#wantsRefresh(before.mounted)) return;
        try {
          const { spec, plugin } = await this.#resolve(kept, pod, volume, signal);
          kept.volumes.set(volume.name, {
            spec,
            plugin,
            mounted: await this.#setUpOne(pod, spec, plugin, before, signal),
          });
        } catch (error) {
          if (isAbort(error, signal)) throw error;
          failed = true;
          if (error instanceof VolumeAwaited) unattached.push(volume.name);
          else if (error instanceof VolumeUnresolved) unresolved.set(volume.name, error.message);
          else this.#tell(pod, volume, error);
        }
      }),
    );
    if (unattached.length > 0) this.#awaiting.add(pod.metadata.uid);
    else this.#awaiting.delete(pod.metadata.uid);
    this.#tellInUse();
    const times = [...kept.volumes.values()].map(({ mounted: one }) => one.refreshAtMs);
    return {
      unattached,
      missing: used.map(({ name }) => name).filter((name) => !kept.volumes.has(name)),
      failed,
      unresolved,
      refreshAtMs: Math.min(Number.POSITIVE_INFINITY, ...times.filter((time) => time !== undefined)),
    };
  }

  /** A volume of a pod that has been set up. */
  find(uid: string, volume: string): PodVolume | undefined {
    return this.#pods.get(uid)?.volumes.get(volume);
  }

  /** All volumes of a pod that have been set up, by name. */
  of(uid: string): ReadonlyMap<string, PodVolume> {
    return this.#pods.get(uid)?.volumes ?? new Map();
  }

  /** Unique names of attached volumes that pods on this node use or are about to use, sorted, each once. */
  inUse(): readonly string[] {
    const all = [...this.#pods.values()].flatMap(({ specs }) => [...specs.values()]);
    const names = all.map(({ spec, plugin }) => plugin.uniqueName?.(spec)).filter((name) => name !== undefined);
    return [...new Set(names)].sort();
  }

  /** Uids of pods that wait for volumes to be attached. */
  awaiting(): readonly string[] {
    return [...this.#awaiting];
  }

  /** Whether some volume that a pod waits for cannot come to this node. */
  async isExhausted(uid: string, signal: AbortSignal): Promise<boolean> {
    if (!this.#awaiting.has(uid)) return false;
    const { specs, volumes } = this.#kept(uid);
    for (const [name, { spec, plugin }] of specs)
      if (!volumes.has(name) && (await plugin.isExhausted?.(spec, signal)) === true) return true;
    return false;
  }

  #tellInUse(): void {
    const now = this.inUse().join(" ");
    if (now === this.#told) return;
    this.#told = now;
    this.#options.onInUse?.();
  }

  /**
   * Takes away the volumes of a pod whose containers have all ended, as they are found on the disk: this works for pods of an
   * earlier life of the agent too. Throws where something cannot be taken away (yet).
   */
  async tearDown(uid: string, signal: AbortSignal): Promise<void> {
    const { folders, plugins, onGone } = this.#options;
    if (uid === "" || uid.includes("/") || uid.startsWith(".")) throw new Error(`"${uid}" is no uid of a pod`);
    onGone(uid);
    // Parts of volumes that containers had are mounts of their own: they hold the volumes.
    await this.#remove(folders.subPaths(uid), signal);
    for (const mode of ["Filesystem", "Block"] as const) {
      const all = folders.volumeRoot(uid, mode);
      for (const pluginName of await namesIn(all)) {
        const plugin = plugins.find(({ name }) => pluginFolder(name) === pluginName);
        for (const name of await namesIn(join(all, pluginName))) {
          const folder = join(all, pluginName, name);
          await plugin?.tearDown?.({ podUid: uid, name, folder, mode }, signal);
          await this.#remove(folder, signal);
        }
      }
      await this.#remove(all, signal);
    }
    await rm(folders.pluginStateRoot(uid), { recursive: true, force: true });
    // A few small files in memory: at once is quicker than the many turns of doing it beside other work.
    rmSync(folders.podMemory(uid), { recursive: true, force: true });
    this.#pods.delete(uid);
    this.#awaiting.delete(uid);
    this.#tornDown.add(uid);
    this.#tellInUse();
  }

  /** Takes away the volumes and all other files of a pod that is gone. */
  async removePod(uid: string, signal: AbortSignal): Promise<void> {
    if (!this.#tornDown.has(uid)) await this.tearDown(uid, signal);
    this.#tornDown.delete(uid);
    await this.#remove(this.#options.folders.pod(uid), signal);
  }

  /** Uids of pods that have left something on the disk. */
  async remains(): Promise<readonly string[]> {
    const { pods, memory } = this.#options.folders;
    const names = await Promise.all([pods, memory].map((folder) => readdir(folder).catch(() => [])));
    return [...new Set(names.flat())];
  }

  /** Unmounts and deletes a folder. What is still mounted in there is somebody's data: nothing is deleted then. */
  async #remove(folder: string, signal: AbortSignal): Promise<void> {
    const { mounts } = this.#options;
    if ((await lstat(folder).catch(() => undefined)) === undefined) return;
    const unmounted = (await mounts?.unmountBelow(folder, signal)) ?? [];
    const left = unmounted.length === 0 ? [] : ((await mounts?.list()) ?? []);
    const still = left.find(({ target }) => isWithin(target, folder));
    if (still !== undefined) throw new Error(`${still.target} is still mounted`);
    await removeTree(folder);
  }

  #kept(uid: string): Kept {
    const found = this.#pods.get(uid);
    if (found !== undefined) return found;
    const made: Kept = { volumes: new Map(), specs: new Map() };
    this.#pods.set(uid, made);
    this.#tornDown.delete(uid);
    return made;
  }

  #wantsRefresh(mounted: MountedVolume): boolean {
    if (mounted.kind === "files" && mounted.follows === true) return true;
    return (mounted.refreshAtMs ?? Number.POSITIVE_INFINITY) <= this.#options.clock.now();
  }

  async #resolve(kept: Kept, pod: Pod, volume: Volume, signal: AbortSignal) {
    const known = kept.specs.get(volume.name);
    if (known !== undefined) return known;
    const spec = await resolveVolume(this.#options.client, pod, volume, signal);
    const plugin = this.#options.plugins.find((one) => one.supports(spec));
    if (plugin === undefined)
      throw new VolumeUnresolved(
        `failed to get Plugin from volumeSpec for volume "${spec.name}" err=no volume plugin matched`,
      );
    kept.specs.set(volume.name, { spec, plugin });
    return { spec, plugin };
  }

  async #setUpOne(
    pod: Pod,
    spec: VolumeSpec,
    plugin: VolumePlugin,
    before: PodVolume | undefined,
    signal: AbortSignal,
  ): Promise<MountedVolume> {
    const { folders } = this.#options;
    const { uid, name: podName } = pod.metadata;
    if (before === undefined) this.#refuseSecondPod(uid, spec);
    const parent = folders.volumes(uid, pluginFolder(plugin.name), spec.mode);
    await mkdir(parent, { recursive: true, mode: 0o750 });
    const stateFolder = folders.pluginState(uid, pluginFolder(plugin.name), spec.name);
    const folder = join(parent, spec.name);
    const mounted = await plugin.setUp({ pod, spec, folder, stateFolder, before: before?.mounted }, signal);
    const { fsGroup: group, fsGroupChangePolicy } = pod.spec.securityContext ?? {};
    if (before === undefined && mounted.kind === "files" && mounted.fsGroup !== "never" && group !== undefined) {
      const onRootMismatch = mounted.fsGroup === "byPolicy" && fsGroupChangePolicy === "OnRootMismatch";
      try {
        await applyFsGroup(mounted.path, { group, readonly: mounted.readonly, onRootMismatch });
      } catch (error) {
        throw new VolumeFailure(`applyFSGroup failed for vol ${spec.name} of pod ${podName}: ${describeError(error)}`, {
          cause: error,
        });
      }
    }
    return mounted;
  }

  /** The scheduler sees to it already, but not every pod comes from there. */
  #refuseSecondPod(uid: string, { claimed, mode }: VolumeSpec): void {
    const modes = claimed?.persistentVolume.spec.accessModes ?? [];
    if (claimed === undefined || modes.length !== 1 || modes[0] !== "ReadWriteOncePod") return;
    const same = ({ spec }: PodVolume) =>
      spec.claimed?.persistentVolume.metadata.uid === claimed.persistentVolume.metadata.uid;
    const taken = [...this.#pods].some(([other, { volumes }]) => other !== uid && [...volumes.values()].some(same));
    if (!taken) return;
    throw new VolumeFailure("volume uses the ReadWriteOncePod access mode and is already in use by another pod", {
      operation: mode === "Block" ? "MapVolume.SetUpDevice" : "MountVolume.SetUp",
    });
  }

  #tell(pod: Pod, volume: Volume, error: unknown): void {
    const [operation, why] =
      error instanceof VolumeFailure ? [error.operation, error.message] : ["MountVolume.SetUp", describeError(error)];
    const spec = this.#pods.get(pod.metadata.uid)?.specs.get(volume.name)?.spec;
    const message = `${operation} failed for volume "${spec?.name ?? volume.name}" : ${why}`;
    const reason = operation.startsWith("MapVolume.") ? "FailedMapVolume" : "FailedMount";
    this.#options.recorder.record(Pods, pod, { type: "Warning", reason, message });
  }
}
