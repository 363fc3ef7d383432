import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { isJsonObject } from "@skiff/base";
import {
  type ContainerdCommand,
  type ContainerdConfig,
  type PodNetwork,
  prepareContainerd,
  type RegistryConfig,
  writePodNetwork,
} from "@skiff/runtime";
import { type Machine, stateFolder } from "../lifecycle/machine.ts";
import type { ClusterPaths } from "../settings/paths.ts";
import { ClusterError, machineNames, type NodeSettings, nthAddress } from "../settings/settings.ts";
import { readPodRange } from "./last-pod-range.ts";

/** The node's own containerd: where it keeps its files and how pods are connected. */
async function containerdConfig(settings: NodeSettings, paths: ClusterPaths): Promise<ContainerdConfig> {
  const range = await readPodRange(paths);
  return {
    rootDirectory: paths.containerd,
    stateDirectory: stateFolder(paths),
    ...(range === undefined ? {} : { network: podNetworkOf(settings, range) }),
    registries: await readRegistries(paths),
    hostsFolder: paths.registryHosts,
  };
}

const podNetworkOf = (settings: NodeSettings, podCidr: string): PodNetwork => ({
  bridge: machineNames(settings).bridge,
  podCidr,
  gateway: nthAddress(podCidr, 1),
});

/** Tells containerd of the pods' network, now that their range is known. */
export async function connectPods(settings: NodeSettings, paths: ClusterPaths, podCidr: string): Promise<void> {
  await writePodNetwork(await containerdConfig(settings, paths), podNetworkOf(settings, podCidr));
}

/** Writes containerd's files and gives the command that starts it. */
export async function prepareNodeRuntime(
  settings: NodeSettings,
  paths: ClusterPaths,
  machine: Machine,
  signal: AbortSignal,
): Promise<ContainerdCommand> {
  return prepareContainerd(await containerdConfig(settings, paths), machine.processes, signal);
}

/**
 * Mirrors and registries with authorities of their own or without TLS, from `registries.json` in the cluster's folder:
 * `[{"host": "docker.io", "mirrors": ["https://mirror.example.com"], "insecure": false, "ca": "/etc/ssl/lab.pem"}]`.
 */
async function readRegistries(paths: ClusterPaths): Promise<readonly RegistryConfig[]> {
  const file = join(paths.root, "registries.json");
  const text = await readFile(file, "utf8").catch(() => undefined);
  if (text === undefined) return [];
  const unusable = () =>
    new ClusterError(
      "REGISTRIES_UNUSABLE",
      `${file} is not a list of {"host", "mirrors", "insecure", "skipVerify", "ca"} in JSON`,
    );
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch {
    throw unusable();
  }
  if (!Array.isArray(list)) throw unusable();
  return list.map((entry: unknown) => {
    if (!isJsonObject(entry) || typeof entry.host !== "string") throw unusable();
    const mirrors = Array.isArray(entry.mirrors) ? entry.mirrors.filter((url) => typeof url === "string") : [];
    return {
      host: entry.host,
      mirrors,
      insecure: entry.insecure === true,
      skipVerify: entry.skipVerify === true,
      ...(typeof entry.ca === "string" ? { ca: entry.ca } : {}),
    };
  });
}
