import { access, statfs } from "node:fs/promises";
import { dirname } from "node:path";
import type { DiskShortage } from "@skiff/kubelet";
import type { ClusterPaths } from "../settings/paths.ts";

type Places = Pick<ClusterPaths, "root" | "kubeletConfiguration">;

/** With no more than this share in use, no default threshold is near. */
const plenty = 0.25;

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** Disks of a cluster's folder (or of where it will be) that are too full for its node to take pods. */
export async function fullDisks(places: Places): Promise<readonly DiskShortage[]> {
  let folder = places.root;
  while (!(await exists(folder)) && folder !== dirname(folder)) folder = dirname(folder);
  const configured = await exists(places.kubeletConfiguration);
  if (!configured && (await hasPlenty(folder))) return [];
  // Only now: the node's part of the program is large, and most machines have room.
  const { diskShortages } = await import("@skiff/kubelet");
  const { readNodeConfiguration } = await import("../agent/node-configuration.ts");
  const configuration = await readNodeConfiguration(places.kubeletConfiguration);
  return await diskShortages(configuration, { node: folder, images: folder });
}

async function hasPlenty(folder: string): Promise<boolean> {
  const { bavail, blocks, ffree, files } = await statfs(folder);
  return bavail / blocks > plenty && (files === 0 || ffree / files > plenty);
}

/** What is short, and what somebody can do about it, in two sentences. */
export function fullDiskText(shortages: readonly DiskShortage[], places: Places): { text: string; advice: string } {
  const list = shortages.map(
    ({ signal, threshold, leftPercent }) => `${signal} is ${leftPercent} %, less than ${threshold}`,
  );
  return {
    text: `${places.root} lies on a disk that is too full: ${list.join("; ")}. The node has DiskPressure and takes no pods`,
    advice: `free some space, or set lower thresholds (evictionHard) in ${places.kubeletConfiguration}`,
  };
}
