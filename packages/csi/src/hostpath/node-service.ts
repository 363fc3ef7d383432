import { lstat, mkdir, readdir, rm, statfs, symlink, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { GrpcStatus, type Served, serve } from "@skiff/grpc";
import { type Mounts, nfsAddress, type Processes, sharedFolder } from "@skiff/host";
import { KeyedQueue } from "../keyed-queue.ts";
import type { NodePublishVolumeRequest } from "../node-messages.ts";
import { accessMode, nodeFeature, nodeService } from "../services.ts";
import { type FileSystemKind, fillMounted, fillUnmounted, mountOptions } from "./file-system.ts";
import { required } from "./required.ts";
import { isFolder, type StoredVolume, type VolumeStore } from "./volume-store.ts";

/**
 * A server that is started again is waited for, one that is gone is not: whoever still uses the volume then gets an error, and
 * can be ended. The kubelet tries again by itself what could not be mounted.
 */
const nfsOptions = ["vers=4.2", "soft", "timeo=100", "retrans=3", "retry=0"];

export interface HostpathNode {
  readonly store: VolumeStore;
  readonly nodeName: string;
  readonly topology: Readonly<Record<string, string>>;
  readonly processes: Processes;
  /** Absent on simulated nodes: volumes are shown by links then. */
  readonly mounts: Mounts | undefined;
  /** Port of this machine's NFS server, which shared volumes come from; absent: they are folders like others. */
  readonly nfsPort: number | undefined;
}

/** What the kubelet asks for. */
export function nodeMethods(node: HostpathNode): readonly Served[] {
  const { store, mounts } = node;
  const queue = new KeyedQueue();
  /** Where each volume was published last, as far as this process knows. */
  const published = new Map<string, string>();
  const features = [
    nodeFeature.stageUnstageVolume,
    nodeFeature.getVolumeStats,
    nodeFeature.expandVolume,
    nodeFeature.singleNodeMultiWriter,
  ];
  return [
    serve(nodeService.nodeGetInfo, async () => ({
      nodeId: node.nodeName,
      accessibleTopology: { segments: node.topology },
    })),
    serve(nodeService.nodeGetCapabilities, async () => ({
      capabilities: features.map((type) => ({ rpc: { type } })),
    })),
    serve(nodeService.nodeStageVolume, ({ volumeId, stagingTargetPath, volumeCapability }, signal) =>
      queue.run(volumeId, async () => {
        required({ volumeId, stagingTargetPath, volumeCapability });
        const volume = await store.get("volumes", volumeId);
        if (volume.form === "image") await mountImage(volume, stagingTargetPath, node, signal);
        return {};
      }),
    ),
    serve(nodeService.nodeUnstageVolume, ({ volumeId, stagingTargetPath }, signal) =>
      queue.run(volumeId, async () => {
        required({ volumeId, stagingTargetPath });
        await mounts?.unmount(stagingTargetPath, { lazy: false }, signal);
        return {};
      }),
    ),
    serve(nodeService.nodePublishVolume, (request, signal) =>
      queue.run(request.volumeId, async () => {
        const { volumeId, targetPath, volumeCapability } = request;
        required({ volumeId, targetPath, volumeCapability });
        const alone = volumeCapability?.accessMode?.mode === accessMode.singleNodeSingleWriter;
        const at = published.get(volumeId);
        if (alone && at !== undefined && at !== targetPath)
          throw new GrpcStatus("FAILED_PRECONDITION", `${volumeId} is one pod's alone, and another has it`);
        await publish(request, node, signal);
        published.set(volumeId, targetPath);
        return {};
      }),
    ),
    serve(nodeService.nodeUnpublishVolume, ({ volumeId, targetPath }, signal) =>
      queue.run(volumeId, async () => {
        required({ volumeId, targetPath });
        if (published.get(volumeId) === targetPath) published.delete(volumeId);
        await mounts?.unmount(targetPath, { lazy: false }, signal);
        await removeTarget(targetPath);
        await detach(volumeId, node, signal);
        return {};
      }),
    ),
    serve(nodeService.nodeGetVolumeStats, async ({ volumeId, volumePath }) => {
      required({ volumeId, volumePath });
      const volume = await store.get("volumes", volumeId);
      if (volume.form === "block") return { usage: [{ total: volume.sizeBytes, unit: 1 }] };
      const { bavail, bfree, blocks, bsize, files, ffree } = await statfs(volumePath).catch(() => {
        throw new GrpcStatus("NOT_FOUND", `there is nothing at ${volumePath}`);
      });
      return {
        usage: [
          { unit: 1, total: blocks * bsize, available: bavail * bsize, used: (blocks - bfree) * bsize },
          { unit: 2, total: files, available: ffree, used: files - ffree },
        ],
      };
    }),
    serve(nodeService.nodeExpandVolume, ({ volumeId, volumePath }, signal) =>
      queue.run(volumeId, async () => {
        required({ volumeId, volumePath });
        const volume = await store.get("volumes", volumeId);
        for (const device of isFolder(volume.form) ? [] : await devicesOf(volume, node, signal)) {
          await node.processes.output("losetup", { args: ["-c", device] }, signal);
          const place = { device, target: volumePath };
          if (volume.form === "image") await fillMounted(fileSystemOf(volume), place, node.processes, signal);
        }
        return { capacityBytes: volume.sizeBytes };
      }),
    ),
  ];
}

function mountsOf({ mounts }: HostpathNode): Mounts {
  if (mounts === undefined) throw new GrpcStatus("FAILED_PRECONDITION", "a simulated node cannot mount images");
  return mounts;
}

/** A file system in a file has the size that was asked for, however large the disk is. */
async function mountImage(
  volume: StoredVolume,
  target: string,
  node: HostpathNode,
  signal: AbortSignal,
): Promise<void> {
  const mounts = mountsOf(node);
  if (await mounts.isMountPoint(target)) return;
  await mkdir(target, { recursive: true });
  const image = node.store.dataOf("volumes", volume);
  const fileSystem = fileSystemOf(volume);
  // The file may have grown since, as a copy of a smaller one has.
  await fillUnmounted(fileSystem, image, node.processes, signal);
  await mounts.mount({ source: image, target, fileSystem, options: mountOptions(fileSystem) }, signal);
  if (fileSystem === "xfs") await fillMounted(fileSystem, { device: image, target }, node.processes, signal);
  await node.processes.output("chmod", { args: ["0777", target] }, signal);
}

async function publish(request: NodePublishVolumeRequest, node: HostpathNode, signal: AbortSignal): Promise<void> {
  const { volumeId, targetPath, stagingTargetPath, readonly, volumeContext } = request;
  const { store, mounts } = node;
  const known = await store.find("volumes", volumeId);
  const inline = volumeContext["csi.storage.k8s.io/ephemeral"] === "true";
  if (known === undefined && inline) {
    await store.create("volumes", { id: volumeId, form: "folder", sizeBytes: 0, createdMs: 0 }, undefined, signal);
  }
  const volume = known ?? (await store.get("volumes", volumeId));
  await mkdir(dirname(targetPath), { recursive: true });
  if (volume.form === "block") {
    await publishDevice(volume, targetPath, node, signal);
    return;
  }
  const source = volume.form === "image" ? stagingTargetPath : store.dataOf("volumes", volume);
  if (mounts === undefined) {
    await removeTarget(targetPath);
    await symlink(source, targetPath);
    return;
  }
  if (await mounts.isMountPoint(targetPath)) return;
  await mkdir(targetPath, { recursive: true });
  if (volume.form === "shared" && node.nfsPort !== undefined) {
    const options = [`port=${node.nfsPort}`, ...nfsOptions, ...(readonly ? ["ro"] : [])];
    const exported = `${nfsAddress}:/${sharedFolder}/${volume.id}`;
    await mounts.mount({ source: exported, target: targetPath, fileSystem: "nfs4", options }, signal);
    return;
  }
  await mounts.bind(source, targetPath, { readonly, recursive: false }, signal);
}

async function publishDevice(
  volume: StoredVolume,
  target: string,
  node: HostpathNode,
  signal: AbortSignal,
): Promise<void> {
  const mounts = mountsOf(node);
  if (await mounts.isMountPoint(target)) return;
  const [attached] = await devicesOf(volume, node, signal);
  const args = ["--find", "--show", node.store.dataOf("volumes", volume)];
  const device = attached ?? (await node.processes.output("losetup", { args }, signal)).trim();
  await writeFile(target, "", { flag: "a" });
  await mounts.bind(device, target, { readonly: false, recursive: false }, signal);
}

/** Loop devices of a volume's file, as in `/dev/loop3`. */
async function devicesOf(
  volume: StoredVolume,
  { store, processes }: HostpathNode,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const args = ["--associated", store.dataOf("volumes", volume), "--noheadings", "--output", "NAME"];
  const text = await processes.output("losetup", { args }, signal);
  return text.split("\n").filter((line) => line.startsWith("/dev/"));
}

const fileSystemOf = ({ fileSystem = "ext4" }: StoredVolume): FileSystemKind => fileSystem;

/** Takes a device away that no pod has any more; a volume that was made for one pod goes with it. */
async function detach(volumeId: string, node: HostpathNode, signal: AbortSignal): Promise<void> {
  const volume = await node.store.find("volumes", volumeId);
  if (volume?.form === "block") {
    const inUse = (await node.mounts?.list()) ?? [];
    for (const device of await devicesOf(volume, node, signal)) {
      const name = device.slice("/dev".length);
      if (inUse.some(({ root, fileSystem }) => fileSystem === "devtmpfs" && root === name)) continue;
      await node.processes.output("losetup", { args: ["-d", device] }, signal);
    }
  } else if (volumeId.startsWith("csi-") && volume?.sizeBytes === 0) await node.store.remove("volumes", volumeId);
}

/** What a publication left: a link, an empty folder or the file under a device. Never what lies in a folder. */
async function removeTarget(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined) return;
  if (!found.isDirectory()) await rm(path);
  else if ((await readdir(path)).length === 0) await rm(path, { recursive: true });
}
