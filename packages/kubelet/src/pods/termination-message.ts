import { open } from "node:fs/promises";
import { join } from "node:path";
import type { ContainerStatus } from "@skiff/runtime";
import { lastLines } from "../logs/read-log.ts";
import type { PodFolders } from "./folders.ts";
import type { PodIdentity } from "./pod-identity.ts";
import { runtimeAnnotations } from "./runtime-labels.ts";

const limitBytes = 4096;
const logLimit = { lines: 80, bytes: 2048 };

/** What a container that ended left in its termination message file, or where its policy says so the end of its log. */
export async function terminationMessage(
  folders: PodFolders,
  pod: PodIdentity,
  status: ContainerStatus,
): Promise<string> {
  const path = folders.terminationMessage(pod.uid, status.name, status.attempt);
  const message = await firstBytes(path);
  if (message !== "") return message;
  const policy = status.annotations[runtimeAnnotations.terminationMessagePolicy];
  if (policy !== "FallbackToLogsOnError" || status.exitCode === 0) return "";
  const log = join(folders.podLogs(pod), folders.logPath(status.name, status.attempt));
  return lastLines(log, logLimit);
}

async function firstBytes(path: string): Promise<string> {
  try {
    await using file = await open(path, "r");
    const { bytesRead, buffer } = await file.read(Buffer.alloc(limitBytes), 0, limitBytes, 0);
    return buffer.subarray(0, bytesRead).toString("utf8");
  } catch {
    return "";
  }
}
