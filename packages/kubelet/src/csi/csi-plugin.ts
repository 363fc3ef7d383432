import { mkdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { CSIDriver, Node, Pod } from "@skiff/api";
import type { Clock } from "@skiff/base";
import type { Client, EventRecorder } from "@skiff/client";
import { KeyedQueue, nodeFeature, nodeService } from "@skiff/csi";
import { type MountedVolume, VolumeFailure, type VolumePlugin, type VolumeSpec } from "../volumes/volume-plugin.ts";
import { attachmentOf, isAttachmentExhausted, uniqueVolumeName } from "./attachment.ts";
import type { CsiDrivers, NodeDriver } from "./csi-drivers.ts";
import {
  type CsiVolume,
  csiVolumeOf,
  driverObject,
  fsGroupUse,
  lifecycleRefusal,
  stagingFolder,
} from "./csi-volume.ts";
import { finishResize } from "./finish-resize.ts";
import { measureVolume } from "./measure-volume.ts";
import { csiPluginName, forget, isUsed, readRemembered, remember } from "./remembered-volume.ts";
import { isStaged, type PlacedVolume, publish, stage } from "./use-volume.ts";

export interface CsiPluginOptions {
  readonly nodeName: string;
  /** The kubelet's folder. */
  readonly rootFolder: string;
  /** Holds a folder for each pod. */
  readonly podsFolder: string;
  readonly drivers: CsiDrivers;
  readonly client: Client;
  readonly recorder: EventRecorder;
  readonly clock: Clock;
  /** The node's own object, as last seen. */
  readonly ownNode: () => Node | undefined;
}

/** Volumes that may have grown, or that drivers want to give to pods again and again, are looked at this often. */
const syncMs = 60_000;

/** Volumes of storage drivers: staged once for the node, published once for each pod. */
export function csiPlugin(options: CsiPluginOptions): VolumePlugin {
  const { drivers, client, rootFolder, recorder, clock } = options;
  /** Drivers whose volumes are attached to nodes first, as far as that is known. */
  const attaching = new Set<string>();
  // While the last pod of a volume lets go of it another may take it: the driver hears of one thing at a time.
  const queue = new KeyedQueue();
  return {
    name: csiPluginName,
    supports: ({ volume, claimed }) =>
      claimed === undefined ? volume.csi !== undefined : claimed.persistentVolume.spec.csi !== undefined,
    async setUp({ pod, spec, folder, before }, signal) {
      const volume = volumeOf(spec, pod);
      const object = await driverObject(client, volume.driver, signal);
      const attached = !volume.inline && object?.spec.attachRequired !== false;
      if (attached) attaching.add(volume.driver);
      const driver = driverOf(volume, drivers, spec);
      refuseLifecycle(volume, object);
      const isNew = before === undefined;
      const again = object?.spec.requiresRepublish === true;
      const publishContext =
        attached && (isNew || again)
          ? await attachmentOf(volume, { client, node: options.ownNode(), nodeName: options.nodeName }, signal)
          : {};
      const staging = join(rootFolder, stagingFolder(volume));
      const at = { volume, driver, staging, target: join(folder, spec.mode === "Block" ? "device" : "mount") };
      const use = { spec, pod, publishContext, client };
      await queue.run(uniqueVolumeName(volume), async () => {
        if (isNew) {
          await mkdir(folder, { recursive: true, mode: 0o750 });
          await remember(volume, spec.name, folder);
          await stage(at, use, signal);
          if (isStaged(at)) await finishResize({ ...use, at, path: staging, recorder, clock }, signal);
        }
        if (isNew || again) await publish(at, { ...use, object }, signal);
        if (!isNew || !isStaged(at)) await finishResize({ ...use, at, path: at.target, recorder, clock }, signal);
      });
      return mountedAs(at, { spec, object, options });
    },
    async tearDown({ folder, mode }, signal) {
      const remembered = await readRemembered(folder);
      if (remembered === undefined) return;
      const driver = drivers.get(remembered.driver);
      if (driver === undefined) throw new Error(missing(remembered.driver));
      await queue.run(uniqueVolumeName(remembered), async () => {
        const { handle: volumeId } = remembered;
        const targetPath = join(folder, mode === "Block" ? "device" : "mount");
        await driver.client.call(nodeService.nodeUnpublishVolume, { volumeId, targetPath }, signal);
        await forget(folder);
        if (!driver.features.has(nodeFeature.stageUnstageVolume)) return;
        if (remembered.inline || (await isUsed(remembered, options.podsFolder))) return;
        const stagingTargetPath = join(rootFolder, stagingFolder(remembered));
        await driver.client.call(nodeService.nodeUnstageVolume, { volumeId, stagingTargetPath }, signal);
        await rm(dirname(stagingTargetPath), { recursive: true, force: true });
      });
    },
    async isExhausted({ claimed }, signal) {
      const source = claimed?.persistentVolume.spec.csi;
      if (source === undefined) return false;
      const { driver, volumeHandle: handle } = source;
      const object = await driverObject(client, driver, signal);
      if (object?.spec.nodeAllocatableUpdatePeriodSeconds === undefined) return false;
      if (!(await isAttachmentExhausted({ driver, handle }, options, signal))) return false;
      await drivers.refresh(driver, signal);
      return true;
    },
    measure: (about, signal) => measureVolume(about, drivers, signal),
    uniqueName({ claimed }) {
      const source = claimed?.persistentVolume.spec.csi;
      if (source === undefined || !attaching.has(source.driver)) return undefined;
      return uniqueVolumeName({ driver: source.driver, handle: source.volumeHandle });
    },
  };
}

function volumeOf(spec: VolumeSpec, pod: Pod): CsiVolume {
  const volume = csiVolumeOf(spec, pod);
  if (volume === undefined) throw new VolumeFailure("the volume is not one of a storage driver");
  return volume;
}

const missing = (driver: string): string => `driver name ${driver} not found in the list of registered CSI drivers`;

function driverOf(volume: CsiVolume, drivers: CsiDrivers, { mode }: VolumeSpec): NodeDriver {
  const driver = drivers.get(volume.driver);
  if (driver !== undefined) return driver;
  const fails = (what: string, operation: string) =>
    new VolumeFailure(`kubernetes.io/csi: ${what}: ${missing(volume.driver)}`, { operation });
  if (volume.inline) throw fails("mounter.SetUpAt failed to get CSI client", "MountVolume.SetUp");
  if (mode === "Block") throw fails("blockMapper.SetUpDevice failed to get CSI client", "MapVolume.SetUpDevice");
  throw fails("attacher.MountDevice failed to create newCsiDriverClient", "MountVolume.MountDevice");
}

function refuseLifecycle(volume: CsiVolume, object: CSIDriver | undefined): void {
  const refusal = lifecycleRefusal(volume, object);
  if (refusal === undefined) return;
  throw new VolumeFailure(`kubernetes.io/csi: mounter.SetupAt failed to check volume lifecycle mode: ${refusal}`);
}

function mountedAs(
  { volume, driver, target }: PlacedVolume,
  about: { readonly spec: VolumeSpec; readonly object: CSIDriver | undefined; readonly options: CsiPluginOptions },
): MountedVolume {
  const { spec, object, options } = about;
  const grows = driver.features.has(nodeFeature.expandVolume) && !volume.inline;
  const again = object?.spec.requiresRepublish === true || grows;
  const refresh = again ? { refreshAtMs: options.clock.now() + syncMs } : {};
  if (spec.mode === "Block") return { kind: "block", device: target, readonly: volume.readonly, ...refresh };
  return {
    kind: "files",
    path: target,
    readonly: volume.readonly,
    fsGroup: driver.features.has(nodeFeature.volumeMountGroup) ? "never" : fsGroupUse(volume, object),
    usage: "fileSystem",
    follows: object?.spec.requiresRepublish === true,
    ...refresh,
  };
}
