import { readFile } from "node:fs/promises";
import { describeError } from "@skiff/base";
import { defaultConfiguration, parseSchedulerConfiguration, type SchedulerConfiguration } from "@skiff/scheduler";
import { ClusterError } from "../settings/cluster-error.ts";
import type { ClusterPaths } from "../settings/paths.ts";
import type { ClusterSettings } from "../settings/settings.ts";

/** Gives each scheduler that is started its own; they keep what they find out in it. */
export type SchedulerConfigurationSource = () => SchedulerConfiguration;

/**
 * How pods are scheduled: by the file that `--scheduler-config` names, or by `scheduler.yaml` in the cluster's folder, or as
 * Kubernetes does it. Throws `ClusterError` where a file cannot be read or used.
 */
export async function readSchedulerConfiguration(
  { schedulerConfig }: Pick<ClusterSettings, "schedulerConfig">,
  { schedulerConfiguration }: Pick<ClusterPaths, "schedulerConfiguration">,
): Promise<SchedulerConfigurationSource> {
  const path = schedulerConfig ?? schedulerConfiguration;
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" && schedulerConfig === undefined) return undefined;
    throw new ClusterError("OPTION_INVALID", `--scheduler-config: cannot read ${path}: ${error.message}`, {
      cause: error,
    });
  });
  if (text === undefined) return defaultConfiguration;
  const read = () => {
    try {
      return parseSchedulerConfiguration(text);
    } catch (error) {
      throw new ClusterError("OPTION_INVALID", `${path}: ${describeError(error)}`, { cause: error });
    }
  };
  read();
  return read;
}
