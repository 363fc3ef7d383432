import { open } from "node:fs/promises";
import { join } from "node:path";
import type { Pod } from "@skiff/api";
import type { ContainerStatus } from "@skiff/runtime";
import { lastLines } from "../logs/read-log.ts";
import type { NodeParts } from "./node-parts.ts";
import type { PodIdentity } from "./pod-identity.ts";
import { runtimeAnnotations } from "./runtime-labels.ts";

const limitBytes = 4096;
const podLimitBytes = 12 * 1024;
const logLimit = { lines: 80, bytes: 2048 };

/** What a container that ended left in its termination message file, or where its policy says so the end of its log. */
export async function terminationMessage(
  { folders, cache }: Pick<NodeParts, "folders"> & { readonly cache: Pick<NodeParts["cache"], "logWritten"> },
  pod: PodIdentity,
  status: ContainerStatus,
  signal: AbortSignal,
): Promise<string> {
  const path = folders.terminationMessage(pod.uid, status.name, status.attempt);
  const message = await lastBytes(path);
  if (message !== "") return message;
  const policy = status.annotations[runtimeAnnotations.terminationMessagePolicy];
  if (policy !== "FallbackToLogsOnError" || status.exitCode === 0) return "";
  await cache.logWritten(status.id, signal);
  const log = join(folders.podLogs(pod), folders.logPath(status.name, status.attempt));
  return lastLines(log, logLimit);
}

async function lastBytes(path: string): Promise<string> {
  try {
    await using file = await open(path, "r");
    const { size } = await file.stat();
    const length = Math.min(size, limitBytes);
    const { bytesRead, buffer } = await file.read(Buffer.alloc(length), 0, length, size - length);
    return buffer.subarray(0, bytesRead).toString("utf8");
  } catch {
    return "";
  }
}

/** A container's last words, cut to its share of what a pod's status may hold of them. */
export function fairShare(message: string, pod: Pod): string {
  const { containers, initContainers = [], ephemeralContainers = [] } = pod.spec;
  const share = Math.floor(podLimitBytes / (containers.length + initContainers.length + ephemeralContainers.length));
  const bytes = Buffer.from(message);
  return bytes.length <= share ? message : bytes.subarray(0, share).toString("utf8");
}
