import { isJsonObject, type JsonObject, type JsonValue } from "@skiff/base";
import { readStateFile, writeStateFile } from "../grants/state-file.ts";
import type { Holding } from "./device-holdings.ts";
import type { DeviceTable } from "./device-table.ts";
import { ContainerAllocateResponse } from "./messages.ts";

/** What outlives the kubelet: who has which devices, and which resources there were. */
export interface DeviceCheckpoint {
  readonly holdings: readonly Holding[];
  readonly resources: readonly string[];
}

/** Stands for devices whose plugin does not say where they are. */
const nowhere = "-1";

/** Writes it in the form of `kubelet_internal_checkpoint`. */
export async function writeDeviceCheckpoint(
  path: string,
  holdings: readonly Holding[],
  table: DeviceTable,
): Promise<void> {
  const entries = holdings.map(({ podUid, container, resource, ids, response }) => ({
    PodUID: podUid,
    ContainerName: container,
    ResourceName: resource,
    DeviceIDs: idsByNode(ids, (id) => table.devices(resource).get(id)?.numa),
    AllocResp: ContainerAllocateResponse.encode(response).toString("base64"),
  }));
  const registered = Object.fromEntries(table.names().map((name) => [name, [...table.healthy(name)]]));
  await writeStateFile(path, { Data: { PodDeviceEntries: entries, RegisteredDevices: registered } }, "Checksum");
}

/** Throws `StateFileError` where it is not as it was written. */
export async function readDeviceCheckpoint(path: string): Promise<DeviceCheckpoint> {
  const data = (await readStateFile(path, "Checksum"))?.Data;
  if (!isJsonObject(data)) return { holdings: [], resources: [] };
  const entries: readonly JsonValue[] = Array.isArray(data.PodDeviceEntries) ? data.PodDeviceEntries : [];
  return {
    holdings: entries.flatMap((entry) => (isJsonObject(entry) ? [holdingOf(entry)] : [])),
    resources: Object.keys(isJsonObject(data.RegisteredDevices) ? data.RegisteredDevices : {}),
  };
}

function idsByNode(
  ids: readonly string[],
  numaOf: (id: string) => readonly number[] | undefined,
): Record<string, string[]> {
  const groups: Record<string, string[]> = {};
  for (const id of ids) {
    for (const node of numaOf(id) ?? [nowhere]) {
      groups[node] ??= [];
      groups[node].push(id);
    }
  }
  return groups;
}

const text = (value: JsonValue | undefined): string => (typeof value === "string" ? value : "");

function holdingOf(entry: JsonObject): Holding {
  const groups = Object.values(isJsonObject(entry.DeviceIDs) ? entry.DeviceIDs : {});
  const ids = groups.flatMap((group) => (Array.isArray(group) ? group.map(text) : []));
  return {
    podUid: text(entry.PodUID),
    container: text(entry.ContainerName),
    resource: text(entry.ResourceName),
    ids: [...new Set(ids)],
    response: ContainerAllocateResponse.decode(Buffer.from(text(entry.AllocResp), "base64")),
  };
}
