import { mkdir } from "node:fs/promises";
import type { CSIDriver, Pod } from "@skiff/api";
import { describeError } from "@skiff/base";
import type { Client } from "@skiff/client";
import { nodeFeature, nodeService } from "@skiff/csi";
import { VolumeFailure, type VolumeSpec } from "../volumes/volume-plugin.ts";
import type { NodeDriver } from "./csi-drivers.ts";
import { type CsiVolume, capabilityOf } from "./csi-volume.ts";
import { publishWords, secretOf } from "./publish-words.ts";

/** A volume with where it is on the node. */
export interface PlacedVolume {
  readonly volume: CsiVolume;
  readonly driver: NodeDriver;
  /** Where the driver prepares it for all pods of the node. */
  readonly staging: string;
  /** Where this pod has it. */
  readonly target: string;
}

interface Use {
  readonly spec: VolumeSpec;
  readonly pod: Pod;
  /** What attaching it to the node gave. */
  readonly publishContext: Readonly<Record<string, string>>;
  readonly client: Client;
}

/** Whether the driver prepares the volume before pods have it. */
export const isStaged = ({ volume, driver }: Pick<PlacedVolume, "volume" | "driver">): boolean =>
  !volume.inline && driver.features.has(nodeFeature.stageUnstageVolume);

/** Prepares the volume for the node. Can be repeated. */
export async function stage(at: PlacedVolume, use: Use, signal: AbortSignal): Promise<void> {
  const { volume, driver, staging } = at;
  const { spec, pod, publishContext, client } = use;
  if (!isStaged(at)) return;
  const operation = spec.mode === "Block" ? "MapVolume.SetUpDevice" : "MountVolume.MountDevice";
  await mkdir(staging, { recursive: true, mode: 0o750 });
  try {
    const request = {
      volumeId: volume.handle,
      publishContext,
      stagingTargetPath: staging,
      volumeCapability: capabilityOf(volume, spec.mode, {
        features: driver.features,
        group: pod.spec.securityContext?.fsGroup,
      }),
      secrets: await secretOf(volume.stageSecret, "NodeStageSecretRef", { client, signal }),
      volumeContext: volume.attributes,
    };
    await driver.client.call(nodeService.nodeStageVolume, request, signal);
  } catch (error) {
    signal.throwIfAborted();
    throw new VolumeFailure(describeError(error), { operation, cause: error });
  }
}

/** Gives the volume to a pod. Can be repeated, and is where the driver wants that. */
export async function publish(
  at: PlacedVolume,
  use: Use & { readonly object: CSIDriver | undefined },
  signal: AbortSignal,
): Promise<void> {
  const { volume, driver, staging, target } = at;
  const { spec, pod, object, publishContext, client } = use;
  const words = await publishWords(volume, pod, object, { client, signal });
  const request = {
    ...words,
    volumeId: volume.handle,
    publishContext,
    stagingTargetPath: isStaged(at) ? staging : "",
    targetPath: target,
    volumeCapability: capabilityOf(volume, spec.mode, {
      features: driver.features,
      group: pod.spec.securityContext?.fsGroup,
    }),
    readonly: volume.readonly,
  };
  try {
    await driver.client.call(nodeService.nodePublishVolume, request, signal);
  } catch (error) {
    signal.throwIfAborted();
    const operation = spec.mode === "Block" ? "MapVolume.MapPodDevice" : "MountVolume.SetUp";
    throw new VolumeFailure(describeError(error), { operation, cause: error });
  }
}
