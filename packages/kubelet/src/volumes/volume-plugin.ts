import type { PersistentVolume, PersistentVolumeClaim, Pod, Volume } from "@skiff/api";

/** A volume of a pod with its claim resolved: what plugins decide by. */
export interface VolumeSpec {
  /** Names the volume's folder: the name in the pod, or that of the PersistentVolume. */
  readonly name: string;
  /** As the pod has it. */
  readonly volume: Volume;
  /** The claim that the pod names and what it is bound to; absent where the pod describes the volume itself. */
  readonly claimed?: { readonly claim: PersistentVolumeClaim; readonly persistentVolume: PersistentVolume };
  /** Containers may only read it, whatever their mounts say. */
  readonly readonly: boolean;
  readonly mode: "Filesystem" | "Block";
}

export interface SetUpRequest {
  readonly pod: Pod;
  readonly spec: VolumeSpec;
  /**
   * The volume's own place on the node: `pods/UID/volumes/PLUGIN/NAME`, or below `volumeDevices` for a device. Its parent
   * exists; what is found there at tear-down is what the plugin is asked to take away.
   */
  readonly folder: string;
  /** The plugin's place for what it has to remember of the volume, not shown to containers: `pods/UID/plugins/PLUGIN/NAME`. */
  readonly stateFolder: string;
  /** What an earlier call for this volume gave, unless the agent has restarted since. */
  readonly before: MountedVolume | undefined;
}

/** Whether the pod's fsGroup is applied to the files: never, whenever it is first set up, or as fsGroupChangePolicy says. */
export type FsGroupUse = "never" | "always" | "byPolicy";

/** Where a volume can be had on the node. */
export type MountedVolume =
  | {
      readonly kind: "files";
      /** Folder or file. */
      readonly path: string;
      readonly readonly: boolean;
      readonly fsGroup: FsGroupUse;
      /** When it is to be set up again by itself (epoch milliseconds); absent: only when what it shows changes. */
      readonly refreshAtMs?: number;
      /** What it shows follows the pod's metadata or objects of the API: it is set up again when they change. */
      readonly follows?: boolean;
      /** How its usage is found: by adding up its files, by asking its file system, or not at all. */
      readonly usage: "files" | "fileSystem" | "none";
    }
  | {
      readonly kind: "block";
      readonly device: string;
      readonly readonly: boolean;
      /** When it is to be set up again by itself (epoch milliseconds). */
      readonly refreshAtMs?: number;
    };

/** What a pod that is going or gone has left of a volume. */
export interface VolumeRemains {
  readonly podUid: string;
  readonly name: string;
  readonly folder: string;
  readonly mode: "Filesystem" | "Block";
}

/** How full a volume is, as far as that can be told. */
export interface VolumeMeasure {
  readonly capacityBytes?: number;
  readonly availableBytes?: number;
  readonly usedBytes?: number;
  readonly inodes?: number;
  readonly inodesFree?: number;
  readonly inodesUsed?: number;
  /** What is said of its health. */
  readonly condition?: { readonly abnormal: boolean; readonly message: string };
}

/**
 * One way of providing volumes. All calls can be repeated: what was interrupted by the end of the agent is asked for again,
 * setting up from the pod's spec, tearing down from what lies on the disk (the pod may be gone by then).
 */
export interface VolumePlugin {
  /** As in `kubernetes.io/empty-dir`; the volumes' folder has `~` for the slash. */
  readonly name: string;
  supports(spec: VolumeSpec): boolean;
  /** Throws `VolumeFailure` in words fit for an event; it is tried again then. */
  setUp(request: SetUpRequest, signal: AbortSignal): Promise<MountedVolume>;
  /** Ends everything the volume has outside its folder. Mounts at and below the folder, and the folder, are taken away after it. */
  tearDown?(remains: VolumeRemains, signal: AbortSignal): Promise<void>;
  /** Whether a volume that is waited for cannot come, as the node has all the volumes that it may have. */
  isExhausted?(spec: VolumeSpec, signal: AbortSignal): Promise<boolean>;
  /** How full a volume is, where the plugin knows better than its file system; `undefined`: nobody can tell. */
  measure?(
    volume: { readonly podUid: string; readonly spec: VolumeSpec; readonly mounted: MountedVolume },
    signal: AbortSignal,
  ): Promise<VolumeMeasure | undefined>;
  /** Name in the node's `volumesInUse`, for volumes that are attached to nodes; known once `setUp` has been asked for it. */
  uniqueName?(spec: VolumeSpec): string | undefined;
}

/** A volume cannot be set up. The event says `OPERATION failed for volume "NAME" : MESSAGE`. */
export class VolumeFailure extends Error {
  override name = "VolumeFailure";
  /** As in `MountVolume.SetUp`. */
  readonly operation: string;
  constructor(message: string, options: { readonly operation?: string; readonly cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.operation = options.operation ?? "MountVolume.SetUp";
  }
}

/** A volume waits for somebody else, who does not do wrong by taking a while: no event tells of it before the pod's patience ends. */
export class VolumeAwaited extends Error {
  override name = "VolumeAwaited";
}

/** A volume's claim or object cannot be used (yet); told as `Unable to attach or mount volumes: …`. */
export class VolumeUnresolved extends Error {
  override name = "VolumeUnresolved";
}

/** As folders are called: `kubernetes.io~empty-dir`. */
export const pluginFolder = (name: string): string => name.replaceAll("/", "~");
