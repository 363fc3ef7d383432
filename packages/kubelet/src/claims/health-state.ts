/** What drivers said of their devices' health, on the disk in Kubernetes' own form: it holds over a restart of the kubelet. */
import { readFile } from "node:fs/promises";
import { isJsonObject, type JsonValue, parseJson } from "@skiff/base";
import { writeFileAtomic } from "@skiff/host";
import type { DeviceHealth } from "./claim-health.ts";

/** What was said of one device, and when. */
export interface ToldHealth extends DeviceHealth {
  readonly pool: string;
  readonly device: string;
  /** Epoch milliseconds. */
  readonly atMs: number;
  /** So long it counts, if it is not said again. */
  readonly timeoutMs: number;
}

const nanosecondsPerMs = 1e6;

/** By driver, then by `POOL/DEVICE`. */
export type HealthState = ReadonlyMap<string, ReadonlyMap<string, ToldHealth>>;

export async function writeHealthState(path: string, state: HealthState): Promise<void> {
  const deviceOf = ({ pool, device, health, atMs, timeoutMs, message }: ToldHealth) => ({
    PoolName: pool,
    DeviceName: device,
    Health: health,
    LastUpdated: new Date(atMs).toISOString(),
    HealthCheckTimeout: timeoutMs * nanosecondsPerMs,
    Message: message,
  });
  const drivers = [...state].map(([driver, devices]) => [
    driver,
    { Devices: Object.fromEntries([...devices].map(([key, told]) => [key, deviceOf(told)])) },
  ]);
  await writeFileAtomic(path, JSON.stringify(Object.fromEntries(drivers)), { mode: 0o600 });
}

/** What was written; nothing where there is no file. Throws where it cannot be read. */
export async function readHealthState(path: string): Promise<HealthState> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return "{}";
    throw error;
  });
  return new Map(
    membersOf(parseJson(text)).map(([driver, state]) => [
      driver,
      new Map(membersOf(isJsonObject(state) ? state.Devices : undefined).flatMap(([key, told]) => deviceIn(key, told))),
    ]),
  );
}

const membersOf = (value: JsonValue | undefined): readonly [string, JsonValue | undefined][] =>
  Object.entries(isJsonObject(value) ? value : {});

function deviceIn(key: string, value: JsonValue | undefined): readonly (readonly [string, ToldHealth])[] {
  if (!isJsonObject(value)) return [];
  const { PoolName: pool, DeviceName: device, Health: health, Message: message } = value;
  const atMs = Date.parse(String(value.LastUpdated));
  const timeoutMs = Number(value.HealthCheckTimeout) / nanosecondsPerMs;
  if (Number.isNaN(atMs) || Number.isNaN(timeoutMs) || (health !== "Healthy" && health !== "Unhealthy")) return [];
  return [
    [key, { pool: String(pool), device: String(device), health, message: String(message ?? ""), atMs, timeoutMs }],
  ];
}
