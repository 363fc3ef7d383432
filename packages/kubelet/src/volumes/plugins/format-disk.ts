import type { Processes } from "@skiff/host";
import { VolumeFailure } from "../volume-plugin.ts";

/** How `blkid -p` says that there is nothing on a disk that it knows. */
const nothingFound = 2;

const makeArgs = (fileSystem: string): readonly string[] => {
  if (fileSystem === "ext4" || fileSystem === "ext3") return ["-F", "-m0"];
  return fileSystem === "xfs" ? ["-f"] : [];
};

/** Makes a file system on a disk that has nothing on it. One that has anything, be it partitions, is left as it is. */
export async function formatIfEmpty(
  device: string,
  wanted: { readonly fileSystem: string; readonly readonly: boolean },
  processes: Pick<Processes, "run">,
  signal: AbortSignal,
): Promise<void> {
  const args = ["-p", "-s", "TYPE", "-s", "PTTYPE", "-o", "export", device];
  const found = await processes.run("blkid", { args }, signal);
  if (found.code === 0) return;
  if (found.code !== nothingFound) {
    throw new VolumeFailure(`failed to get disk format of disk ${device}: ${found.stderr.trim()}`);
  }
  if (wanted.readonly) {
    throw new VolumeFailure(`cannot mount unformatted disk ${device} as we are manipulating it in read-only mode`);
  }
  const { fileSystem } = wanted;
  const made = await processes.run(`mkfs.${fileSystem}`, { args: [...makeArgs(fileSystem), device] }, signal);
  if (made.code === 0) return;
  throw new VolumeFailure(`format of disk "${device}" failed: type:("${fileSystem}") output:(${made.stderr.trim()})`);
}
