import { lstat, mkdir, open, stat } from "node:fs/promises";
import type { HostPathVolumeSource } from "@skiff/api";
import { VolumeFailure } from "./payload.ts";

/** Checks (and where asked for creates) what a hostPath volume points at. Throws `VolumeFailure` in Kubernetes' words. */
export async function checkHostPath({ path, type = "" }: HostPathVolumeSource): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  const fails = (what: string) => new VolumeFailure(`hostPath type check failed: ${path} is not ${what}`);
  switch (type) {
    case "":
      // Whatever is there; the runtime makes a folder of what is missing.
      if (found === undefined) await mkdir(path, { recursive: true, mode: 0o755 });
      return;
    case "DirectoryOrCreate":
      if (found === undefined) await mkdir(path, { recursive: true, mode: 0o755 });
      else if (!found.isDirectory()) throw fails("a directory");
      return;
    case "FileOrCreate":
      if (found === undefined) await (await open(path, "a", 0o644)).close();
      else if (!found.isFile()) throw fails("a file");
      return;
    case "Directory":
      if (found?.isDirectory() !== true) throw fails("a directory");
      return;
    case "File":
      if (found?.isFile() !== true) throw fails("a file");
      return;
    case "Socket":
      if ((await lstat(path).catch(() => undefined))?.isSocket() !== true) throw fails("a socket file");
      return;
    case "CharDevice":
      if (found?.isCharacterDevice() !== true) throw fails("a character device");
      return;
    case "BlockDevice":
      if (found?.isBlockDevice() !== true) throw fails("a block device");
      return;
    default:
      throw new VolumeFailure(`${type} is an invalid volume type`);
  }
}
