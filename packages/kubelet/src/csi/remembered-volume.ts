import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isJsonObject, parseJson } from "@skiff/base";
import { pluginFolder } from "../volumes/volume-plugin.ts";

/** The plugin's name, as in `kubernetes.io/csi^DRIVER^HANDLE`. */
export const csiPluginName = "kubernetes.io/csi";
const dataFile = "vol_data.json";

/** What is left beside a volume of a pod, for when the pod is gone. */
export interface RememberedVolume {
  readonly driver: string;
  readonly handle: string;
  /** It was made for that pod alone. */
  readonly inline: boolean;
}

/** Writes it into the volume's folder. */
export async function remember(volume: RememberedVolume, specName: string, folder: string): Promise<void> {
  const { driver: driverName, handle: volumeHandle, inline } = volume;
  const volumeLifecycleMode = inline ? "Ephemeral" : "Persistent";
  const data = { driverName, volumeHandle, specVolID: specName, volumeLifecycleMode };
  await writeFile(join(folder, dataFile), JSON.stringify(data), { mode: 0o600 });
}

/** Reads it; `undefined` where nothing was ever asked of a driver. */
export async function readRemembered(folder: string): Promise<RememberedVolume | undefined> {
  const text = await readFile(join(folder, dataFile), "utf8").catch(() => undefined);
  const value = text === undefined ? undefined : parseJson(text);
  if (!isJsonObject(value)) return undefined;
  const { driverName, volumeHandle, volumeLifecycleMode } = value;
  if (typeof driverName !== "string" || typeof volumeHandle !== "string") return undefined;
  return { driver: driverName, handle: volumeHandle, inline: volumeLifecycleMode === "Ephemeral" };
}

/** The pod has the volume no more. */
export const forget = (folder: string): Promise<void> => rm(join(folder, dataFile), { force: true });

/** Whether any pod of the node still has the volume. */
export async function isUsed(
  { driver, handle }: Pick<RememberedVolume, "driver" | "handle">,
  podsFolder: string,
): Promise<boolean> {
  for (const pod of await readdir(podsFolder).catch(() => [])) {
    for (const kind of ["volumes", "volumeDevices"]) {
      const folder = join(podsFolder, pod, kind, pluginFolder(csiPluginName));
      for (const volume of await readdir(folder).catch(() => [])) {
        const data = await readRemembered(join(folder, volume));
        if (data?.driver === driver && data.handle === handle) return true;
      }
    }
  }
  return false;
}
