import { migratedVolumeDrivers, type PersistentVolumeSpec, type Volume } from "@skiff/api";
import { VolumeFailure, type VolumePlugin, type VolumeSpec } from "../volume-plugin.ts";

type Source = keyof PersistentVolumeSpec & keyof Volume;

const has = ({ volume, claimed }: VolumeSpec, source: Source): boolean =>
  volume[source] !== undefined || claimed?.persistentVolume.spec[source] !== undefined;

/** Kinds that need programs and disks which this node has not. */
const unavailable = [
  {
    source: "iscsi",
    operation: "MountVolume.WaitForAttach",
    message:
      'failed to get any path for iscsi disk, last err seen:\nexec: "iscsiadm": executable file not found in $PATH',
  },
  { source: "fc", operation: "MountVolume.WaitForAttach", message: "no fc disk found" },
] as const;

/**
 * What is left of storage that once was part of Kubernetes, answered as a node of 1.36 answers it. Kinds without any
 * remnant (glusterfs, rbd, cephfs, flexVolume, …) have no plugin at all.
 */
export const remnants: readonly VolumePlugin[] = [
  {
    name: "kubernetes.io/csi-migrated",
    supports: (spec) => migratedTo(spec) !== undefined,
    async setUp({ spec }) {
      throw new VolumeFailure(
        `kubernetes.io/csi: attacher.MountDevice failed to create newCsiDriverClient: driver name ${migratedTo(spec)} not found in the list of registered CSI drivers`,
        { operation: "MountVolume.MountDevice" },
      );
    },
  },
  ...unavailable.map(
    ({ source, operation, message }): VolumePlugin => ({
      name: `kubernetes.io/${source}`,
      supports: (spec) => has(spec, source),
      async setUp() {
        throw new VolumeFailure(message, { operation });
      },
    }),
  ),
];

function migratedTo(spec: VolumeSpec): string | undefined {
  const { volume, claimed } = spec;
  return Object.entries(migratedVolumeDrivers).find(([source]) => {
    const own = Object.entries(volume).some(([key, value]) => key === source && value !== undefined);
    const bound = Object.entries(claimed?.persistentVolume.spec ?? {}).some(
      ([key, value]) => key === source && value !== undefined,
    );
    return own || bound;
  })?.[1];
}
