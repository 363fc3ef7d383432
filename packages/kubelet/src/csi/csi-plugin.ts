import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type CSIDriver, isNotFound, type Pod, VolumeAttachments } from "@skiff/api";
import { describeError, isJsonObject, parseJson } from "@skiff/base";
import type { Client } from "@skiff/client";
import { nodeFeature, nodeService } from "@skiff/csi";
import { pluginFolder, VolumeFailure, type VolumePlugin, type VolumeSpec } from "../volumes/volume-plugin.ts";
import type { CsiDrivers, NodeDriver } from "./csi-drivers.ts";
import {
  attachmentName,
  type CsiVolume,
  capabilityOf,
  csiVolumeOf,
  driverObject,
  fsGroupUse,
  publishContext,
  secretOf,
  stagingFolder,
} from "./csi-volume.ts";
import { finishResize } from "./finish-resize.ts";

export interface CsiPluginOptions {
  readonly nodeName: string;
  /** The kubelet's folder. */
  readonly rootFolder: string;
  /** Holds a folder for each pod. */
  readonly podsFolder: string;
  readonly drivers: CsiDrivers;
  readonly client: Client;
}

const name = "kubernetes.io/csi";
/** What is remembered beside a volume, for when the pod is gone. */
const dataFile = "vol_data.json";

/** Volumes of storage drivers: staged once for the node, published once for each pod. */
export function csiPlugin(options: CsiPluginOptions): VolumePlugin {
  const { drivers, client, rootFolder } = options;
  /** Drivers whose volumes are attached to nodes first, as far as that is known. */
  const attaching = new Set<string>();
  return {
    name,
    supports: ({ volume, claimed }) =>
      claimed === undefined ? volume.csi !== undefined : claimed.persistentVolume.spec.csi !== undefined,
    async setUp({ pod, spec, folder, before }, signal) {
      const volume = volumeOf(spec, pod);
      const driver = driverOf(volume, drivers);
      const staging = join(rootFolder, stagingFolder(volume));
      const target = join(folder, spec.mode === "Block" ? "device" : "mount");
      const at = { volume, driver, staging, target };
      if (before !== undefined) {
        await finishResize(spec, at, { client, signal });
        return before;
      }
      const object = await driverObject(client, volume.driver, signal);
      const attached = volume.inline || object?.spec.attachRequired === false;
      if (!attached) attaching.add(volume.driver);
      const publish = attached ? {} : await attachmentOf(volume, options, signal);
      await mkdir(folder, { recursive: true, mode: 0o750 });
      const remembered = { driverName: volume.driver, volumeHandle: volume.handle, specVolID: spec.name };
      await writeFile(join(folder, dataFile), JSON.stringify(remembered), { mode: 0o600 });
      await stage(at, spec, publish, { client, signal });
      await finishResize(spec, at, { client, signal });
      await publishTo(at, { spec, pod, object, publish }, { client, signal });
      if (spec.mode === "Block") return { kind: "block", device: target, readonly: volume.readonly };
      return {
        kind: "files",
        path: target,
        readonly: volume.readonly,
        fsGroup: driver.features.has(nodeFeature.volumeMountGroup) ? "never" : fsGroupUse(volume, object),
        follows: driver.features.has(nodeFeature.expandVolume) && !volume.inline,
        usage: "fileSystem",
      };
    },
    async tearDown({ folder, mode }, signal) {
      const remembered = await readData(folder);
      if (remembered === undefined) return;
      const { driver: driverName, handle } = remembered;
      const driver = drivers.get(driverName);
      if (driver === undefined) {
        throw new Error(`driver name ${driverName} not found in the list of registered CSI drivers`);
      }
      const targetPath = join(folder, mode === "Block" ? "device" : "mount");
      await driver.client.call(nodeService.nodeUnpublishVolume, { volumeId: handle, targetPath }, signal);
      await rm(join(folder, dataFile), { force: true });
      if (!driver.features.has(nodeFeature.stageUnstageVolume)) return;
      if (await isUsed(remembered, options.podsFolder)) return;
      const stagingTargetPath = join(rootFolder, stagingFolder(remembered));
      await driver.client.call(nodeService.nodeUnstageVolume, { volumeId: handle, stagingTargetPath }, signal);
      await rm(dirname(stagingTargetPath), { recursive: true, force: true });
    },
    uniqueName({ claimed }) {
      const source = claimed?.persistentVolume.spec.csi;
      if (source === undefined || !attaching.has(source.driver)) return undefined;
      return `${name}/${source.driver}^${source.volumeHandle}`;
    },
  };
}

/** A volume with where it is on the node. */
export interface PlacedVolume {
  readonly volume: CsiVolume;
  readonly driver: NodeDriver;
  readonly staging: string;
  readonly target: string;
}

interface Asking {
  readonly client: Client;
  readonly signal: AbortSignal;
}

function volumeOf(spec: VolumeSpec, pod: Pod): CsiVolume {
  const volume = csiVolumeOf(spec, pod);
  if (volume === undefined) throw new VolumeFailure("the volume is not one of a storage driver");
  return volume;
}

function driverOf(volume: CsiVolume, drivers: CsiDrivers): NodeDriver {
  const driver = drivers.get(volume.driver);
  if (driver !== undefined) return driver;
  const missing = `driver name ${volume.driver} not found in the list of registered CSI drivers`;
  if (volume.inline) throw new VolumeFailure(`kubernetes.io/csi: mounter.SetUpAt failed to get CSI client: ${missing}`);
  throw new VolumeFailure(`kubernetes.io/csi: attacher.MountDevice failed to create newCsiDriverClient: ${missing}`, {
    operation: "MountVolume.MountDevice",
  });
}

/** What the driver's controller said when it attached the volume to this node. */
async function attachmentOf(
  volume: CsiVolume,
  { client, nodeName }: CsiPluginOptions,
  signal: AbortSignal,
): Promise<Readonly<Record<string, string>>> {
  const id = attachmentName(volume, nodeName);
  const waiting = (message: string) => new VolumeFailure(message, { operation: "MountVolume.WaitForAttach" });
  const attachment = await client.get(VolumeAttachments, { name: id }, { signal }).catch((error: unknown) => {
    if (!isNotFound(error)) throw error;
    throw waiting(`volume ${volume.handle} has GET error for volume attachment ${id}: ${describeError(error)}`);
  });
  if (attachment.status?.attached === true) return attachment.status.attachmentMetadata ?? {};
  const message = attachment.status?.attachError?.message;
  throw waiting(message ?? `volume attachment ${id} is not attached yet`);
}

async function stage(
  { volume, driver, staging }: PlacedVolume,
  spec: VolumeSpec,
  publish: Readonly<Record<string, string>>,
  { client, signal }: Asking,
): Promise<void> {
  if (volume.inline || !driver.features.has(nodeFeature.stageUnstageVolume)) return;
  await mkdir(staging, { recursive: true, mode: 0o750 });
  const request = {
    volumeId: volume.handle,
    publishContext: publish,
    stagingTargetPath: staging,
    volumeCapability: capabilityOf(volume, spec.mode, undefined),
    secrets: await secretOf(client, volume.stageSecret, signal),
    volumeContext: volume.attributes,
  };
  try {
    await driver.client.call(nodeService.nodeStageVolume, request, signal);
  } catch (error) {
    signal.throwIfAborted();
    throw new VolumeFailure(describeError(error), { operation: "MountVolume.MountDevice", cause: error });
  }
}

async function publishTo(
  { volume, driver, staging, target }: PlacedVolume,
  about: {
    readonly spec: VolumeSpec;
    readonly pod: Pod;
    readonly object: CSIDriver | undefined;
    readonly publish: Readonly<Record<string, string>>;
  },
  asking: Asking,
): Promise<void> {
  const { spec, pod, object, publish } = about;
  const staged = !volume.inline && driver.features.has(nodeFeature.stageUnstageVolume);
  const group = driver.features.has(nodeFeature.volumeMountGroup) ? pod.spec.securityContext?.fsGroup : undefined;
  const request = {
    volumeId: volume.handle,
    publishContext: publish,
    stagingTargetPath: staged ? staging : "",
    targetPath: target,
    volumeCapability: capabilityOf(volume, spec.mode, group),
    readonly: volume.readonly,
    secrets: await secretOf(asking.client, volume.publishSecret, asking.signal),
    volumeContext: await publishContext(volume, pod, object, asking),
  };
  await driver.client.call(nodeService.nodePublishVolume, request, asking.signal);
}

interface Remembered {
  readonly driver: string;
  readonly handle: string;
}

async function readData(folder: string): Promise<Remembered | undefined> {
  const text = await readFile(join(folder, dataFile), "utf8").catch(() => undefined);
  const value = text === undefined ? undefined : parseJson(text);
  if (!isJsonObject(value)) return undefined;
  const { driverName, volumeHandle } = value;
  if (typeof driverName !== "string" || typeof volumeHandle !== "string") return undefined;
  return { driver: driverName, handle: volumeHandle };
}

/** Whether any pod of the node still has the volume. */
async function isUsed({ driver, handle }: Remembered, podsFolder: string): Promise<boolean> {
  for (const pod of await readdir(podsFolder).catch(() => [])) {
    for (const kind of ["volumes", "volumeDevices"]) {
      const folder = join(podsFolder, pod, kind, pluginFolder(name));
      for (const volume of await readdir(folder).catch(() => [])) {
        const data = await readData(join(folder, volume));
        if (data?.driver === driver && data.handle === handle) return true;
      }
    }
  }
  return false;
}
