import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { NodeParts } from "./node-parts.ts";

type Parts = Pick<NodeParts, "volumes" | "cgroups" | "folders">;

/** The folders of logs of one pod, or of all: `NAMESPACE_NAME_UID`. */
async function logFolders({ folders }: Parts, uid?: string): Promise<readonly { uid: string; path: string }[]> {
  const names = await readdir(folders.logs).catch(() => []);
  return names
    .map((name) => ({ uid: name.slice(name.lastIndexOf("_") + 1), path: join(folders.logs, name) }))
    .filter((one) => uid === undefined || one.uid === uid);
}

/** Uids of all pods of which there is anything on the machine: volumes, a cgroup, logs. */
export async function podRemains(parts: Parts): Promise<readonly string[]> {
  const logs = (await logFolders(parts)).map(({ uid }) => uid);
  return [...new Set([...(await parts.volumes.remains()), ...(await parts.cgroups.remains()), ...logs])];
}

/** Removes what there is of a pod beside what its runtime has. */
export async function removeRemains(parts: Parts, uid: string, signal: AbortSignal): Promise<void> {
  await parts.volumes.removePod(uid, signal);
  await parts.cgroups.remove({ uid });
  for (const { path } of await logFolders(parts, uid)) await rm(path, { recursive: true, force: true });
}
