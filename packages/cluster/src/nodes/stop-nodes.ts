import type { Clock } from "@skiff/base";
import { removeNamespaceMember, removeNamespaceNetwork } from "@skiff/host";
import { deleteCluster, downCluster } from "../lifecycle/down.ts";
import type { Machine } from "../lifecycle/machine.ts";
import type { ClusterPaths } from "../settings/paths.ts";
import { ClusterError, type ClusterSettings, machineNames } from "../settings/settings.ts";
import { memberNames, nodeHome, nodeNumbers } from "./further-nodes.ts";

interface Cluster {
  readonly settings: ClusterSettings;
  readonly paths: ClusterPaths;
}

interface Effects {
  readonly machine: Machine;
  readonly clock: Clock;
}

/** Stops all further nodes, all at once, and takes their namespaces away; `skiff up` makes both anew. */
export async function stopNodes(cluster: Cluster, effects: Effects, signal: AbortSignal): Promise<void> {
  const { settings, paths } = cluster;
  const silent = { ...effects, step: () => {} };
  const numbers = await nodeNumbers(paths);
  const stopOne = async (number: number) => {
    await downCluster(nodeHome(paths, number), silent, signal).catch(unlessAbsent);
    await removeNamespaceMember(memberNames(settings, number), effects.machine, signal);
  };
  await Promise.all(numbers.map(stopOne));
  await removeNetwork(settings, effects.machine, signal);
}

/** Removes these nodes with all that the machine holds of them; not their objects. */
export async function deleteNodes(
  { settings, paths }: Cluster,
  numbers: readonly number[],
  effects: Effects,
  signal: AbortSignal,
): Promise<void> {
  const silent = { ...effects, step: () => {} };
  const deleteOne = async (number: number) => {
    await deleteCluster(nodeHome(paths, number), silent, signal).catch(unlessAbsent);
    await removeNamespaceMember(memberNames(settings, number), effects.machine, signal);
  };
  await Promise.all(numbers.map(deleteOne));
}

/** Removes all of them, for a cluster that goes itself. */
export async function deleteAllNodes(cluster: Cluster, effects: Effects, signal: AbortSignal): Promise<void> {
  await deleteNodes(cluster, await nodeNumbers(cluster.paths), effects, signal);
  await removeNetwork(cluster.settings, effects.machine, signal);
}

/** Takes away the network that they were in; fine where there is none. */
export function removeNetwork(settings: ClusterSettings, machine: Machine, signal: AbortSignal): Promise<void> {
  const { nodeBridge } = machineNames(settings);
  return removeNamespaceNetwork({ bridge: nodeBridge, table: nodeBridge }, machine, signal);
}

/** A start that was interrupted leaves a folder without a node in it. */
function unlessAbsent(error: unknown): void {
  if (!(error instanceof ClusterError) || error.code !== "NO_CLUSTER") throw error;
}
