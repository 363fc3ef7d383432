import type { Stats } from "node:fs";
import { mkdir, open, stat } from "node:fs/promises";
import type { HostPathVolumeSource } from "@skiff/api";
import { VolumeFailure, type VolumePlugin } from "../volume-plugin.ts";

/** What lies on the node itself. It belongs to nobody's pod: its owner and mode are left alone, nothing is taken away. */
export const hostPathPlugin: VolumePlugin = {
  name: "kubernetes.io/host-path",
  supports: ({ volume, claimed }) =>
    volume.hostPath !== undefined || claimed?.persistentVolume.spec.hostPath !== undefined,
  async setUp({ spec }) {
    const source = spec.volume.hostPath ?? spec.claimed?.persistentVolume.spec.hostPath ?? { path: "" };
    await checkHostPath(source);
    return { kind: "files", path: source.path, readonly: spec.readonly, fsGroup: "never", usage: "none" };
  },
};

const descriptions: Readonly<Record<string, string>> = {
  Directory: "directory",
  File: "file",
  Socket: "socket file",
  CharDevice: "character device",
  BlockDevice: "block device",
};

function typeOf(found: Stats): string | undefined {
  if (found.isFile()) return "File";
  if (found.isDirectory()) return "Directory";
  if (found.isSocket()) return "Socket";
  if (found.isCharacterDevice()) return "CharDevice";
  return found.isBlockDevice() ? "BlockDevice" : undefined;
}

/** Checks (and where asked for creates) what a hostPath volume points at. Throws `VolumeFailure` in Kubernetes' words. */
export async function checkHostPath({ path, type = "" }: HostPathVolumeSource): Promise<void> {
  if (path.split("/").includes("..")) throw new VolumeFailure(`invalid HostPath \`${path}\`: must not contain '..'`);
  const found = await stat(path).catch(() => undefined);
  if (type === "") {
    // Whatever is there; what is missing becomes a folder, as runtimes do it.
    if (found === undefined) await mkdir(path, { recursive: true, mode: 0o755 });
    return;
  }
  if (type === "DirectoryOrCreate" && found === undefined) {
    await mkdir(path, { recursive: true, mode: 0o755 });
    return;
  }
  if (type === "FileOrCreate" && found === undefined) {
    await (await open(path, "a", 0o644)).close();
    return;
  }
  const wanted = type.replace(/OrCreate$/, "");
  const description = descriptions[wanted];
  if (description === undefined) throw new VolumeFailure(`${type} is an invalid volume type`);
  if (found === undefined) throw new VolumeFailure(`hostPath ${path} doesn't exist`);
  const actual = typeOf(found);
  if (actual === undefined)
    throw new VolumeFailure(
      `hostPath type check failed, ${path} is not a ${description}, unable to determine its type: only recognise file, directory, socket, block device and character device`,
    );
  if (actual !== wanted)
    throw new VolumeFailure(`hostPath type check failed: ${path} is not a ${description}, it's a ${actual}`);
}
