import { asUnits, PersistentVolumeClaims, PersistentVolumes } from "@skiff/api";
import type { Client } from "@skiff/client";
import { nodeFeature, nodeService } from "@skiff/csi";
import { GrpcStatus } from "@skiff/grpc";
import type { VolumeSpec } from "../volumes/volume-plugin.ts";
import type { PlacedVolume } from "./csi-plugin.ts";
import { capabilityOf } from "./csi-volume.ts";

/**
 * The node's part of growing a volume, once its controller has done its own. What cannot be done while the volume is in use
 * is done when it is next mounted.
 */
export async function finishResize(
  spec: VolumeSpec,
  { volume, driver, staging, target }: PlacedVolume,
  { client, signal }: { readonly client: Client; readonly signal: AbortSignal },
): Promise<void> {
  if (spec.claimed === undefined || !driver.features.has(nodeFeature.expandVolume)) return;
  const claim = await client.get(PersistentVolumeClaims, spec.claimed.claim.metadata, { signal });
  if (claim.status?.allocatedResourceStatuses?.storage !== "NodeResizePending") return;
  const { name } = spec.claimed.persistentVolume.metadata;
  const { capacity } = (await client.get(PersistentVolumes, { name }, { signal })).spec;
  const request = {
    volumeId: volume.handle,
    volumePath: target,
    stagingTargetPath: staging,
    capacityRange: { requiredBytes: Math.ceil(asUnits(capacity?.storage)) },
    volumeCapability: capabilityOf(volume, spec.mode, undefined),
  };
  try {
    await driver.client.call(nodeService.nodeExpandVolume, request, signal);
  } catch (error) {
    if (error instanceof GrpcStatus && error.code === "FAILED_PRECONDITION") return;
    throw error;
  }
  const { allocatedResourceStatuses: _done, conditions = [], ...rest } = claim.status;
  const others = conditions.filter(({ type }) => type !== "FileSystemResizePending" && type !== "Resizing");
  const status = { ...rest, capacity: { ...capacity }, ...(others.length === 0 ? {} : { conditions: others }) };
  await client.updateStatus(PersistentVolumeClaims, { ...claim, status }, { signal });
}
