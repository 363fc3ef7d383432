import { readFile } from "node:fs/promises";
import { describeError } from "@skiff/base";
import { defaultConfiguration, type KubeletConfiguration, parseKubeletConfiguration } from "@skiff/kubelet";
import { parse } from "yaml";
import { ClusterError } from "../settings/cluster-error.ts";

/** The node's configuration from its file (YAML or JSON); the defaults where there is none. Throws `ClusterError`. */
export async function readNodeConfiguration(path: string): Promise<KubeletConfiguration> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw new ClusterError("HOME_UNREADABLE", `cannot read ${path}: ${error.message}`, { cause: error });
  });
  if (text === undefined) return defaultConfiguration;
  try {
    return parseKubeletConfiguration(parse(text));
  } catch (error) {
    throw new ClusterError("SETTINGS_DAMAGED", `${path}: ${describeError(error)}`, { cause: error });
  }
}
