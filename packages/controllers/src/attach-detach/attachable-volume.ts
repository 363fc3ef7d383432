import { createHash } from "node:crypto";
import type { PersistentVolume, VolumeAttachment } from "@skiff/api";

const plugin = "kubernetes.io/csi/";

/** A volume of a storage driver that is attached to nodes. */
export interface AttachableVolume {
  /** As in a node's `volumesAttached` and `volumesInUse`. */
  readonly name: string;
  readonly driver: string;
  readonly handle: string;
}

export function attachableVolume({ spec: { csi } }: PersistentVolume): AttachableVolume | undefined {
  if (csi === undefined) return undefined;
  return { name: `${plugin}${csi.driver}^${csi.volumeHandle}`, driver: csi.driver, handle: csi.volumeHandle };
}

/** The volume of an entry of `volumesAttached`; `undefined` for those of others. */
export function namedVolume(name: string): AttachableVolume | undefined {
  const at = name.indexOf("^");
  if (!name.startsWith(plugin) || at < 0) return undefined;
  return { name, driver: name.slice(plugin.length, at), handle: name.slice(at + 1) };
}

/** How the VolumeAttachment of a volume on a node is called. */
export const attachmentName = ({ handle, driver }: AttachableVolume, nodeName: string): string =>
  `csi-${createHash("sha256")
    .update(handle + driver + nodeName)
    .digest("hex")}`;

/** Whether an attachment was made for this volume: what others made is none of our business. */
export const isAttachmentOf = ({ metadata, spec }: VolumeAttachment, volume: AttachableVolume): boolean =>
  metadata.name === attachmentName(volume, spec.nodeName);

/** Volumes that one node at a time may have. What says nothing of it is left to the driver. */
export function isExclusive({ spec: { accessModes = [] } }: PersistentVolume): boolean {
  return accessModes.length > 0 && !accessModes.some((mode) => mode === "ReadWriteMany" || mode === "ReadOnlyMany");
}
