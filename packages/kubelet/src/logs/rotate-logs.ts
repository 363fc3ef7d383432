import { createReadStream, createWriteStream } from "node:fs";
import { rename, rm, stat } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { describeError } from "@skiff/base";
import type { NodeParts } from "../pods/node-parts.ts";

const checkMs = 10_000;

/** The name of the nth rotated file of a log, 1 being the newest; those from 2 on are compressed (`.gz`). */
export const rotatedName = (path: string, number: number): string => `${path}.${number}${number > 1 ? ".gz" : ""}`;

/** Rotates the logs of running containers that have grown too large; few files of each are kept, older ones compressed. */
export async function rotateLogs(parts: NodeParts, signal: AbortSignal): Promise<void> {
  const { containerLogMaxBytes, containerLogMaxFiles } = parts.configuration;
  for (;;) {
    await parts.clock.sleep(checkMs, signal);
    for (const pod of parts.cache.pods()) {
      for (const container of parts.cache.view(pod.uid).containers) {
        if (container.state !== "running" || container.logPath === "") continue;
        try {
          const { size } = await stat(container.logPath);
          if (size < containerLogMaxBytes) continue;
          await rotate(container.logPath, containerLogMaxFiles);
          await parts.runtime.reopenContainerLog(container.id, signal);
        } catch (error) {
          signal.throwIfAborted();
          parts.logger.debug(`rotation of ${container.logPath}: ${describeError(error)}`);
        }
      }
    }
  }
}

/**
 * Moves a log and those before it on by one; the oldest goes, so that `maxFiles` are left with the one that is written next.
 * The newest of them stays as it is: a follower may not have read it to its end.
 */
export async function rotate(path: string, maxFiles: number): Promise<void> {
  await rm(rotatedName(path, maxFiles - 1), { force: true });
  for (let number = maxFiles - 2; number >= 2; number--)
    await rename(rotatedName(path, number), rotatedName(path, number + 1)).catch(() => {});
  if (maxFiles > 2) await compress(rotatedName(path, 1), rotatedName(path, 2));
  await rename(path, rotatedName(path, 1));
}

async function compress(from: string, to: string): Promise<void> {
  if ((await stat(from).catch(() => undefined)) === undefined) return;
  const unfinished = `${to}.tmp`;
  await pipeline(createReadStream(from), createGzip(), createWriteStream(unfinished, { mode: 0o640 }));
  await rename(unfinished, to);
  await rm(from, { force: true });
}
