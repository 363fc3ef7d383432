import { watch } from "node:fs";
import { mkdir } from "node:fs/promises";
import type { Pod } from "@skiff/api";
import { type Clock, describeError, isAbort, type Logger, resolvedOrAborted } from "@skiff/base";
import { readManifests } from "./manifests.ts";

/** However little is heard of changes, the folder is read this often. */
const pollMs = 20_000;
/** A file is seldom written in one go. */
const settleMs = 100;

export interface FollowOptions {
  readonly folder: string;
  readonly nodeName: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Hears all pods of the folder, first and after each change. */
  readonly onPods: (pods: readonly Pod[]) => void;
}

/** Follows a folder of manifests until aborted. Files that are no pods are told of once, and left aside. */
export async function followManifests(options: FollowOptions, signal: AbortSignal): Promise<void> {
  const { folder, nodeName, clock, logger, onPods } = options;
  await mkdir(folder, { recursive: true, mode: 0o755 });
  let poked = Promise.withResolvers<void>();
  const watcher = watch(folder, () => poked.resolve());
  watcher.on("error", (error) => logger.warn(`${folder}: ${describeError(error)}`));
  try {
    let told = "";
    let known: string | undefined;
    while (!signal.aborted) {
      poked = Promise.withResolvers<void>();
      const { pods, problems } = await readManifests(folder, nodeName, clock.now());
      if (problems.join("\n") !== told) for (const problem of problems) logger.warn(`manifest ${problem}`);
      told = problems.join("\n");
      const key = pods.map((pod) => pod.metadata.uid).join(" ");
      if (key !== known) onPods(pods);
      known = key;
      using _ = clock.after(pollMs, () => poked.resolve());
      await resolvedOrAborted(poked.promise, signal);
      await clock.sleep(settleMs, signal);
    }
  } catch (error) {
    if (!isAbort(error, signal)) throw error;
  } finally {
    watcher.close();
  }
}
