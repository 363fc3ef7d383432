/** A storage driver as the controllers ask it: the controller half of the Container Storage Interface, without its wire. */
export interface StorageDriver {
  /** As StorageClasses name it. */
  readonly name: string;
  /** Where volumes are of which nobody says where; absent: the driver's volumes can be had everywhere. */
  readonly home?: Segments;
  /** `exhausted`: there is no room for it, or none where its first pod is to run; perhaps elsewhere, or later. */
  createVolume(
    wanted: WantedVolume,
    signal: AbortSignal,
  ): Promise<
    | { readonly kind: "created"; readonly volume: CreatedVolume }
    | { readonly kind: "exhausted"; readonly message: string }
  >;
  /** Fine when it is gone already. */
  deleteVolume(volume: KnownVolume, signal: AbortSignal): Promise<void>;
  expandVolume(
    volume: KnownVolume & { readonly sizeBytes: number },
    signal: AbortSignal,
  ): Promise<{ readonly sizeBytes: number; readonly onNodeToo: boolean }>;
  /** Gives a volume other attributes. `refused`: it never will. */
  modifyVolume(
    volume: KnownVolume & { readonly parameters: Parameters },
    signal: AbortSignal,
  ): Promise<{ readonly kind: "modified" } | { readonly kind: "refused"; readonly message: string }>;
  /** How many bytes more volumes with these parameters may have, where those labels are. */
  capacity(
    wanted: { readonly parameters: Parameters; readonly segments: Segments },
    signal: AbortSignal,
  ): Promise<number>;
  createSnapshot(
    wanted: Placed & { readonly name: string; readonly volumeId: string; readonly parameters: Parameters },
    signal: AbortSignal,
  ): Promise<TakenSnapshot>;
  /** A snapshot by its handle; `undefined` when there is none. */
  findSnapshot(snapshot: KnownSnapshot, signal: AbortSignal): Promise<TakenSnapshot | undefined>;
  deleteSnapshot(snapshot: KnownSnapshot, signal: AbortSignal): Promise<void>;
}

type Parameters = Readonly<Record<string, string>>;

/** Where a thing of the driver's lies, as far as that is known. */
interface Placed {
  readonly at: Segments | undefined;
}

/** A volume that the driver has made, with what it wants to be told in confidence. */
export interface KnownVolume extends Placed {
  readonly volumeId: string;
  readonly secrets: Parameters;
}

export interface KnownSnapshot extends Placed {
  readonly snapshotId: string;
}

/** Labels of the nodes from which a volume can be had. */
export type Segments = Readonly<Record<string, string>>;

/** What a volume is to be a copy of. */
export interface VolumeSource extends Placed {
  readonly kind: "snapshot" | "volume";
  readonly id: string;
}

export interface WantedVolume {
  /** The same name gives the same volume. */
  readonly name: string;
  readonly sizeBytes: number;
  readonly mode: "Filesystem" | "Block";
  readonly fsType?: string;
  readonly mountOptions: readonly string[];
  /** Kubernetes' names, as in `ReadWriteOnce`. */
  readonly accessModes: readonly string[];
  readonly parameters: Parameters;
  /** Those of its VolumeAttributesClass: they may change later. */
  readonly mutableParameters: Parameters;
  readonly secrets: Parameters;
  readonly source?: VolumeSource;
  /** Where it may be made, the best place first; empty: anywhere. */
  readonly places: readonly Segments[];
}

export interface CreatedVolume {
  readonly volumeId: string;
  /** 0: the driver does not know. */
  readonly sizeBytes: number;
  readonly context: Readonly<Record<string, string>>;
  readonly topology: readonly Segments[];
}

export interface TakenSnapshot {
  readonly snapshotId: string;
  readonly sizeBytes: number;
  readonly createdMs: number;
  readonly ready: boolean;
}
