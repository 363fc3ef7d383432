import { mkdir } from "node:fs/promises";
import { describeError } from "@skiff/base";
import type { Mounts } from "@skiff/host";
import { VolumeFailure, type VolumePlugin } from "../volume-plugin.ts";

/** A folder of an NFS server, mounted by the kernel, where it can. */
export function nfsPlugin(mounts: Mounts | undefined): VolumePlugin {
  return {
    name: "kubernetes.io/nfs",
    supports: ({ volume, claimed }) => volume.nfs !== undefined || claimed?.persistentVolume.spec.nfs !== undefined,
    async setUp({ spec, folder }, signal) {
      const { server = "", path = "", readOnly } = spec.volume.nfs ?? spec.claimed?.persistentVolume.spec.nfs ?? {};
      const readonly = spec.readonly || readOnly === true;
      const mounted = { kind: "files", path: folder, readonly, fsGroup: "never", usage: "fileSystem" } as const;
      await mkdir(folder, { recursive: true, mode: 0o750 });
      if (mounts === undefined || (await mounts.isMountPoint(folder))) return mounted;
      // An address of IPv6 needs brackets, or its colons would end it.
      const source = `${server.includes(":") && !server.startsWith("[") ? `[${server}]` : server}:${path}`;
      const options = [...(spec.claimed?.persistentVolume.spec.mountOptions ?? []), ...(readonly ? ["ro"] : [])];
      const fails = (output: string, cause?: unknown) =>
        new VolumeFailure(
          `mount failed: exit status 32\nMounting command: mount\nMounting arguments: -t nfs ${options.length > 0 ? `-o ${options.join(",")} ` : ""}${source} ${folder}\nOutput: ${output}`,
          { cause },
        );
      if (!(await mounts.supports("nfs", signal)))
        throw fails(`mount: ${folder}: unknown filesystem type 'nfs'. The kernel of this node has no NFS client.`);
      try {
        await mounts.mount({ source, target: folder, fileSystem: "nfs", options }, signal);
      } catch (error) {
        signal.throwIfAborted();
        throw fails(describeError(error), error);
      }
      return mounted;
    },
  };
}
