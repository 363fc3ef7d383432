import { nodeFeature, nodeService } from "@skiff/csi";
import type { MountedVolume, VolumeMeasure, VolumeSpec } from "../volumes/volume-plugin.ts";
import type { CsiDrivers } from "./csi-drivers.ts";
import { inlineHandle } from "./csi-volume.ts";

const inBytes = 1;
const inInodes = 2;

/** What a volume's driver says of it; `undefined` where it says nothing, or is not there. */
export async function measureVolume(
  about: { readonly podUid: string; readonly spec: VolumeSpec; readonly mounted: MountedVolume },
  drivers: CsiDrivers,
  signal: AbortSignal,
): Promise<VolumeMeasure | undefined> {
  const { podUid, spec, mounted } = about;
  const source = spec.claimed?.persistentVolume.spec.csi;
  const driver = drivers.get(source?.driver ?? spec.volume.csi?.driver ?? "");
  if (driver?.features.has(nodeFeature.getVolumeStats) !== true) return undefined;
  const volumeId = source?.volumeHandle ?? inlineHandle(podUid, spec.volume.name);
  const volumePath = mounted.kind === "block" ? mounted.device : mounted.path;
  const told = await driver.client.call(nodeService.nodeGetVolumeStats, { volumeId, volumePath }, signal);
  const bytes = told.usage.find(({ unit }) => unit === inBytes);
  const inodes = told.usage.find(({ unit }) => unit === inInodes);
  return {
    ...(bytes === undefined
      ? {}
      : { capacityBytes: bytes.total, availableBytes: bytes.available, usedBytes: bytes.used }),
    ...(inodes === undefined ? {} : { inodes: inodes.total, inodesFree: inodes.available, inodesUsed: inodes.used }),
    ...(told.volumeCondition === undefined ? {} : { condition: told.volumeCondition }),
  };
}
