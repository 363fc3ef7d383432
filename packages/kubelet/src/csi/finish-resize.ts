import {
  asUnits,
  type PersistentVolumeClaim,
  PersistentVolumeClaims,
  PersistentVolumes,
  type Pod,
  Pods,
} from "@skiff/api";
import { type Clock, describeError, jsonEqual, timestamp } from "@skiff/base";
import type { Client, EventRecorder } from "@skiff/client";
import { nodeFeature, nodeService } from "@skiff/csi";
import { GrpcStatus } from "@skiff/grpc";
import type { VolumeSpec } from "../volumes/volume-plugin.ts";
import { capabilityOf } from "./csi-volume.ts";
import { secretOf } from "./publish-words.ts";
import { type ClaimStatus, failedStatus, grownStatus } from "./resized-claim.ts";
import type { PlacedVolume } from "./use-volume.ts";

interface Growing {
  readonly spec: VolumeSpec;
  readonly pod: Pod;
  readonly at: PlacedVolume;
  /** Where the driver finds the volume on the node. */
  readonly path: string;
  readonly client: Client;
  readonly recorder: EventRecorder;
  readonly clock: Clock;
}

/** Trying again would not help. */
const infeasible: ReadonlySet<string> = new Set(["INVALID_ARGUMENT", "OUT_OF_RANGE", "NOT_FOUND"]);

/**
 * The node's part of growing a volume, once its controller has done its own. A failure is told by the claim's condition
 * NodeResizeError, and the pod has its volume as it was; what cannot be done while the volume is in use is done when it is
 * next mounted.
 */
export async function finishResize(growing: Growing, signal: AbortSignal): Promise<void> {
  const { spec, pod, at, path, client, recorder } = growing;
  const { volume, driver, staging } = at;
  if (spec.claimed === undefined || !driver.features.has(nodeFeature.expandVolume)) return;
  const claim = await client.get(PersistentVolumeClaims, spec.claimed.claim.metadata, { signal });
  const { status } = claim;
  const step = status?.allocatedResourceStatuses?.storage;
  if (status === undefined || (step !== "NodeResizePending" && step !== "NodeResizeInProgress")) return;
  const size = status.allocatedResources?.storage ?? (await volumeSize(spec.claimed, client, signal));
  const tell = (type: "Normal" | "Warning", reason: string, message: string) => {
    recorder.record(Pods, pod, { type, reason, message });
    recorder.record(PersistentVolumeClaims, claim, { type, reason, message });
  };
  const failed = `MountVolume.NodeExpandVolume failed for volume "${spec.name}"`;
  if (volume.readonly) return tell("Warning", "FileSystemResizeFailed", `${failed} requested read-only file system`);
  try {
    const request = {
      volumeId: volume.handle,
      volumePath: path,
      stagingTargetPath: staging,
      capacityRange: { requiredBytes: Math.ceil(asUnits(size)) },
      volumeCapability: capabilityOf(volume, spec.mode, { features: driver.features }),
      secrets: await secretOf(volume.expandSecret, "NodeExpandSecretRef", { client, signal }),
    };
    await driver.client.call(nodeService.nodeExpandVolume, request, signal);
  } catch (error) {
    signal.throwIfAborted();
    const why = `Expander.NodeExpand failed to expand the volume : ${describeError(error)}`;
    const code = error instanceof GrpcStatus ? error.code : undefined;
    const now = timestamp(growing.clock.now());
    await write(claim, failedStatus(status, { why, infeasible: infeasible.has(code ?? ""), now }), growing, signal);
    if (code !== "FAILED_PRECONDITION") {
      const message = `NodeExpandVolume.NodeExpandVolume failed for volume "${spec.name}" : ${why}`;
      recorder.record(Pods, pod, { type: "Warning", reason: "VolumeResizeFailed", message });
    }
    return;
  }
  await write(claim, grownStatus(status, size), growing, signal);
  const message = `MountVolume.NodeExpandVolume succeeded for volume "${spec.name}" ${pod.spec.nodeName ?? ""}`;
  tell("Normal", "FileSystemResizeSuccessful", message);
}

async function volumeSize(
  { persistentVolume }: NonNullable<VolumeSpec["claimed"]>,
  client: Client,
  signal: AbortSignal,
): Promise<string> {
  const { name } = persistentVolume.metadata;
  return (await client.get(PersistentVolumes, { name }, { signal })).spec.capacity?.storage ?? "0";
}

async function write(
  claim: PersistentVolumeClaim,
  status: ClaimStatus,
  { client }: Growing,
  signal: AbortSignal,
): Promise<void> {
  if (jsonEqual(claim.status, status)) return;
  await client.updateStatus(PersistentVolumeClaims, { ...claim, status }, { signal });
}
