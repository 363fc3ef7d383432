import { mkdir, stat } from "node:fs/promises";
import { KeyedQueue } from "@skiff/csi";
import type { Mounts, Processes } from "@skiff/host";
import { VolumeFailure, type VolumePlugin } from "../volume-plugin.ts";
import { formatIfEmpty } from "./format-disk.ts";

/** A disk or folder of this very node, as a PersistentVolume names it. A disk without a file system is given one. */
export function localVolumePlugin({
  mounts,
  processes,
}: {
  readonly mounts: Mounts | undefined;
  readonly processes: Processes | undefined;
}): VolumePlugin {
  // Two pods that begin together must not both find a disk empty.
  const disks = new KeyedQueue();
  return {
    name: "kubernetes.io/local-volume",
    supports: ({ claimed }) => claimed?.persistentVolume.spec.local !== undefined,
    async setUp({ spec, folder }, signal) {
      const { path = "", fsType = "ext4" } = spec.claimed?.persistentVolume.spec.local ?? {};
      if (path.split("/").includes("..")) throw new VolumeFailure(`invalid path: ${path} must not contain '..'`);
      const found = await stat(path).catch(() => undefined);
      if (found === undefined)
        throw new VolumeFailure(`path "${path}" does not exist`, {
          operation: spec.mode === "Block" ? "MapVolume.MapPodDevice" : "MountVolume.NewMounter initialization",
        });
      if (spec.mode === "Block") return { kind: "block", device: path, readonly: spec.readonly };
      if (mounts === undefined)
        return { kind: "files", path, readonly: spec.readonly, fsGroup: "never", usage: "fileSystem" };
      const mounted = await mounts.isMountPoint(folder);
      if (!mounted) {
        await mkdir(folder, { recursive: true, mode: 0o750 });
        const options = spec.claimed?.persistentVolume.spec.mountOptions ?? [];
        if (found.isBlockDevice()) {
          const wanted = { fileSystem: fsType, readonly: spec.readonly };
          await disks.run(path, async () => {
            if (processes !== undefined) await formatIfEmpty(path, wanted, processes, signal);
            await mounts.mount({ source: path, target: folder, fileSystem: fsType, options: [...options] }, signal);
          });
        } else await mounts.bind(path, folder, { readonly: false, recursive: false }, signal);
      }
      return {
        kind: "files",
        path: folder,
        readonly: spec.readonly,
        fsGroup: mounted ? "never" : "byPolicy",
        usage: "fileSystem",
      };
    },
  };
}
