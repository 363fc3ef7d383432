import { isNotFound, type Node, VolumeAttachments } from "@skiff/api";
import { describeError, isAbort } from "@skiff/base";
import type { Client } from "@skiff/client";
import { VolumeAwaited, VolumeFailure } from "../volumes/volume-plugin.ts";
import { attachmentName, type CsiVolume } from "./csi-volume.ts";
import { csiPluginName } from "./remembered-volume.ts";

/** A volume in the lists `volumesInUse` and `volumesAttached` of a node. */
export const uniqueVolumeName = ({ driver, handle }: Pick<CsiVolume, "driver" | "handle">): string =>
  `${csiPluginName}/${driver}^${handle}`;

/**
 * What the driver's controller said when it attached the volume to this node. The node first says that it is about to use
 * the volume, and then waits until the attach/detach controller says that it is there: so neither detaches what the other
 * has just begun to use. Throws `VolumeAwaited` until then.
 */
export async function attachmentOf(
  volume: CsiVolume,
  { client, node, nodeName }: { readonly client: Client; readonly node: Node | undefined; readonly nodeName: string },
  signal: AbortSignal,
): Promise<Readonly<Record<string, string>>> {
  const unique = uniqueVolumeName(volume);
  if (node?.status?.volumesInUse?.includes(unique) !== true)
    throw new VolumeAwaited("Volume has not been added to the list of VolumesInUse in the node's volume status");
  if (node.status.volumesAttached?.some(({ name }) => name === unique) !== true)
    throw new VolumeAwaited("Volume not attached according to node status");
  const id = attachmentName(volume, nodeName);
  const fails = (message: string, cause?: unknown) =>
    new VolumeFailure(message, { operation: "MountVolume.WaitForAttach", cause });
  const attachment = await client.get(VolumeAttachments, { name: id }, { signal }).catch((error: unknown) => {
    if (isAbort(error, signal)) throw error;
    if (isNotFound(error)) throw new VolumeAwaited(`volume attachment ${id} is not there`);
    throw fails(`volume ${volume.handle} has GET error for volume attachment ${id}: ${describeError(error)}`, error);
  });
  const { attached, attachError, attachmentMetadata = {} } = attachment.status ?? {};
  if (attached === true && attachment.metadata.deletionTimestamp === undefined) return attachmentMetadata;
  if (attachError?.message !== undefined && attachError.message !== "") throw fails(attachError.message);
  throw new VolumeAwaited(`volume ${volume.handle} is not attached for volume attachment ${id}`);
}

/** gRPC's number of RESOURCE_EXHAUSTED. */
const resourceExhausted = 8;

/** Whether the driver's controller refused to attach a volume because the node has too many already. */
export async function isAttachmentExhausted(
  volume: Pick<CsiVolume, "driver" | "handle">,
  { client, nodeName }: { readonly client: Client; readonly nodeName: string },
  signal: AbortSignal,
): Promise<boolean> {
  const id = attachmentName(volume, nodeName);
  const found = await client.get(VolumeAttachments, { name: id }, { signal }).catch((error: unknown) => {
    if (!isNotFound(error)) throw error;
  });
  return found?.status?.attachError?.errorCode === resourceExhausted;
}
