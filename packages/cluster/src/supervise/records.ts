import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { isJsonObject } from "@skiff/base";
import { type ProcessIdentity, writeFileAtomic } from "@skiff/host";
import type { ClusterPaths } from "../settings/paths.ts";

/** A process of a cluster as the supervisor last saw it. */
export interface ProcessRecord extends ProcessIdentity {
  readonly name: string;
  /** How often it was started anew after it had ended by itself. */
  readonly restarts: number;
  readonly startedAtMs: number;
}

const recordsPath = (paths: Pick<ClusterPaths, "run">): string => join(paths.run, "processes.json");

/** What the supervisor noted last; empty when there is nothing or nothing that can be read. */
export async function readProcessRecords(paths: Pick<ClusterPaths, "run">): Promise<readonly ProcessRecord[]> {
  const text = await readFile(recordsPath(paths), "utf8").catch(() => "[]");
  try {
    const list: unknown = JSON.parse(text);
    return Array.isArray(list) ? list.filter(isRecord) : [];
  } catch {
    return [];
  }
}

/** Notes the processes, whole or not at all. */
export async function writeProcessRecords(
  paths: Pick<ClusterPaths, "run">,
  records: readonly ProcessRecord[],
): Promise<void> {
  await writeFileAtomic(recordsPath(paths), `${JSON.stringify(records, undefined, 1)}\n`, { mode: 0o644 });
}

const isRecord = (value: unknown): value is ProcessRecord =>
  isJsonObject(value) &&
  typeof value.name === "string" &&
  typeof value.pid === "number" &&
  typeof value.startTicks === "number" &&
  typeof value.restarts === "number" &&
  typeof value.startedAtMs === "number";
