import { GrpcStatus } from "@skiff/grpc";
import type { Processes } from "@skiff/host";
import { isFolder, type StoredVolume, type VolumeStore } from "./volume-store.ts";

const names = new Set(["syncWrites"]);

/**
 * Gives a volume the attributes of a VolumeAttributesClass. `syncWrites: "true"`: what is written to new files is on the disk
 * when the call returns. Throws `INVALID_ARGUMENT` for what this volume cannot have.
 */
export async function setAttributes(
  volume: StoredVolume,
  parameters: Readonly<Record<string, string>>,
  { store, processes }: { readonly store: VolumeStore; readonly processes: Processes },
  signal: AbortSignal,
): Promise<void> {
  checkAttributes(volume, parameters);
  const { syncWrites } = parameters;
  if (syncWrites === undefined) return;
  const args = [syncWrites === "true" ? "+S" : "-S", store.dataOf("volumes", volume)];
  await processes.output("chattr", { args }, signal);
}

/** Throws where the volume could not have these attributes. */
export function checkAttributes(
  { form }: Pick<StoredVolume, "form">,
  parameters: Readonly<Record<string, string>>,
): void {
  const refuse = (message: string) => new GrpcStatus("INVALID_ARGUMENT", message);
  const unknown = Object.keys(parameters).find((name) => !names.has(name));
  if (unknown !== undefined) throw refuse(`invalid mutable parameter ${unknown}`);
  const { syncWrites } = parameters;
  if (syncWrites === undefined) return;
  if (syncWrites !== "true" && syncWrites !== "false") throw refuse(`syncWrites is "true" or "false"`);
  if (!isFolder(form)) throw refuse("syncWrites is for volumes without a size of their own");
}
