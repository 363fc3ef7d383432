import { rename, rm, stat } from "node:fs/promises";
import { describeError } from "@skiff/base";
import type { NodeParts } from "../pods/node-parts.ts";

const maxBytes = 10 * 1024 * 1024;
/** The current file and those before it, together. */
const maxFiles = 5;
const checkMs = 10_000;

/** The name of the nth rotated file of a log, 1 being the newest. */
export const rotatedName = (path: string, number: number): string => `${path}.${number}`;

/** Rotates the logs of running containers when they have grown to 10 MiB; five files of each are kept. */
export async function rotateLogs(parts: NodeParts, signal: AbortSignal): Promise<void> {
  for (;;) {
    await parts.clock.sleep(checkMs, signal);
    for (const pod of parts.cache.pods()) {
      for (const container of parts.cache.view(pod.uid).containers) {
        if (container.state !== "running" || container.logPath === "") continue;
        try {
          const { size } = await stat(container.logPath);
          if (size < maxBytes) continue;
          await rotate(container.logPath);
          await parts.runtime.reopenContainerLog(container.id, signal);
        } catch (error) {
          signal.throwIfAborted();
          parts.logger.debug(`rotation of ${container.logPath}: ${describeError(error)}`);
        }
      }
    }
  }
}

/** Moves a log and those before it on by one; the oldest goes. */
export async function rotate(path: string): Promise<void> {
  await rm(rotatedName(path, maxFiles - 1), { force: true });
  for (let number = maxFiles - 2; number >= 1; number--)
    await rename(rotatedName(path, number), rotatedName(path, number + 1)).catch(() => {});
  await rename(path, rotatedName(path, 1));
}
