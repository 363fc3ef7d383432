import { mkdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { isJsonObject } from "@skiff/base";
import { writeFileAtomic } from "@skiff/host";
import type { PodFolders } from "../pods/folders.ts";
import { type Allocation, type GivenResources, parseResources, type Resources } from "./allocation.ts";

/** What a node remembers of a pod that was resized. */
export interface ResizeRecord {
  /** What it granted. */
  readonly allocation: Allocation;
  /** What each container was given, by its id. */
  readonly actual: Readonly<Record<string, GivenResources>>;
  /** What the pod as a whole was given. */
  readonly actualPod?: Resources;
}

const path = (folders: PodFolders, uid: string): string => join(folders.pod(uid), "resize.json");

/** Only pods that were ever resized have a record. */
export async function readResizeRecord(folders: PodFolders, uid: string): Promise<ResizeRecord | undefined> {
  const text = await readFile(path(folders, uid), "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    if (!isJsonObject(value) || !isJsonObject(value.allocation)) return undefined;
    const pod = parseResources(value.allocation.pod);
    const containers = table(value.allocation.containers);
    const actualPod = parseResources(value.actualPod);
    return {
      allocation: { containers, ...(pod === undefined ? {} : { pod }) },
      actual: table(value.actual),
      ...(actualPod === undefined ? {} : { actualPod }),
    };
  } catch {
    return undefined;
  }
}

export async function writeResizeRecord(folders: PodFolders, uid: string, record: ResizeRecord): Promise<void> {
  const file = path(folders, uid);
  await mkdir(dirname(file), { recursive: true, mode: 0o750 });
  await writeFileAtomic(file, JSON.stringify(record), { mode: 0o600 });
}

function table(value: unknown): Record<string, GivenResources> {
  const found: Record<string, GivenResources> = {};
  for (const [name, entry] of Object.entries(isJsonObject(value) ? value : {})) {
    const resources = parseResources(entry);
    if (resources !== undefined) found[name] = resources;
  }
  return found;
}
