import { isJsonObject, type JsonObject, type JsonValue } from "@skiff/base";
import { readStateFile, writeStateFile } from "../grants/state-file.ts";

/** A device of a claim that is ready on this node. */
export interface ReadyDevice {
  readonly driver: string;
  readonly pool: string;
  readonly device: string;
  /** None: it is for all requests of the claim. */
  readonly requests: readonly string[];
  readonly cdiDevices: readonly string[];
}

/** A claim that pods of this node use. */
export interface ClaimRecord {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly drivers: readonly string[];
  readonly podUids: readonly string[];
  /** Its drivers have made it ready. */
  readonly prepared: boolean;
  readonly devices: readonly ReadyDevice[];
}

export async function writeClaimRecords(path: string, records: readonly ClaimRecord[]): Promise<void> {
  await writeStateFile(path, { version: "v1", claims: records.map((record) => jsonOf(record)) });
}

const jsonOf = ({ devices, drivers, podUids, ...rest }: ClaimRecord): JsonObject => ({
  ...rest,
  drivers: [...drivers],
  podUids: [...podUids],
  devices: devices.map((one) => ({ ...one, requests: [...one.requests], cdiDevices: [...one.cdiDevices] })),
});

/** Throws `StateFileError` where the file is not as it was written. */
export async function readClaimRecords(path: string): Promise<readonly ClaimRecord[]> {
  const state = await readStateFile(path);
  return objects(state?.claims).map((one) => ({
    uid: text(one.uid),
    namespace: text(one.namespace),
    name: text(one.name),
    drivers: texts(one.drivers),
    podUids: texts(one.podUids),
    prepared: one.prepared === true,
    devices: objects(one.devices).map((device) => ({
      driver: text(device.driver),
      pool: text(device.pool),
      device: text(device.device),
      requests: texts(device.requests),
      cdiDevices: texts(device.cdiDevices),
    })),
  }));
}

type Value = JsonValue | undefined;
const text = (value: Value): string => (typeof value === "string" ? value : "");
const texts = (value: Value): readonly string[] => (Array.isArray(value) ? value.map(text) : []);
const objects = (value: Value): readonly JsonObject[] => (Array.isArray(value) ? value.filter(isJsonObject) : []);
