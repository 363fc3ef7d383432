import { existsSync } from "node:fs";
import { readdir, rm, rmdir } from "node:fs/promises";
import { basename } from "node:path";
import type { Clock } from "@skiff/base";
import { fileBehind } from "@skiff/host";
import { tokenFile } from "../datastore/shared-cluster.ts";
import { contextName, removeFromKubeconfig } from "../kubeconfig/kubeconfig.ts";
import { type ClusterPaths, clusterPaths } from "../settings/paths.ts";
import { ClusterError, type HomeSettings, isJoined, readHomeSettings, settingsCopy } from "../settings/settings.ts";
import { releaseSlots } from "../settings/slots.ts";
import type { Machine } from "./machine.ts";
import { takeLock } from "./prepare-home.ts";
import { livingSupervisor, stopProcesses } from "./running.ts";
import { tearDown } from "./tear-down.ts";

interface Target {
  readonly name: string;
  readonly home: string;
}

interface Effects {
  readonly machine: Machine;
  readonly clock: Clock;
  readonly step: (text: string) => void;
}

/** Stops a cluster: its objects stay, `upCluster` brings it back. False when it was not running. */
export async function downCluster(target: Target, effects: Effects, signal: AbortSignal): Promise<boolean> {
  const paths = clusterPaths(target.home, target.name);
  const settings = await readHomeSettings(paths);
  if (settings === undefined) throw noSuchCluster(target);
  await using _lock = await takeLock(paths);
  return stop(settings, paths, effects, signal);
}

/**
 * Stops a cluster and removes every trace of it: folder, kubeconfig entry and what the machine holds. Gives the name of a node
 * that had joined another machine's cluster: its object stays there, as nodes may not remove theirs.
 */
export async function deleteCluster(
  target: Target & { readonly kubeconfig?: string },
  effects: Effects,
  signal: AbortSignal,
): Promise<string | undefined> {
  const paths = clusterPaths(target.home, target.name);
  const settings = await settingsToDelete(paths);
  if (settings === undefined) {
    if (!(await removeRemains(paths))) throw noSuchCluster(target);
    return undefined;
  }
  {
    await using _lock = await takeLock(paths);
    await stop(settings, paths, effects, signal);
    await deleteFurtherNodes(settings, paths, effects, signal);
    effects.step("Removing its files");
    const { kubeconfig } = target;
    // An entry of that name is another cluster's where this is but a node.
    if (kubeconfig !== undefined && !isJoined(settings)) {
      await removeFromKubeconfig(kubeconfig, contextName(settings.name));
    }
    // The settings go last but for the folder: an interrupted deletion can be repeated.
    for (const folder of [
      paths.containerd,
      paths.kubelet,
      paths.podLogs,
      paths.store,
      paths.pki,
      paths.images,
      paths.logs,
    ]) {
      await rm(folder, { recursive: true, force: true });
    }
  }
  await rm(paths.root, { recursive: true, force: true });
  await releaseSlots(paths);
  await rmdir(paths.home).catch(() => {});
  await rmdir("/run/skiff").catch(() => {});
  return isJoined(settings) ? settings.nodeName : undefined;
}

/** A cluster whose settings are damaged is deleted by their copy. */
async function settingsToDelete(paths: ClusterPaths): Promise<HomeSettings | undefined> {
  try {
    return await readHomeSettings(paths);
  } catch (error) {
    if (!(error instanceof ClusterError) || error.code !== "SETTINGS_DAMAGED") throw error;
    return await readHomeSettings({ ...paths, settings: settingsCopy(paths) });
  }
}

/**
 * Removes what a first start left that was interrupted before there were settings, and with them processes. Only a folder
 * that holds nothing but a cluster's own is touched. False when there is none.
 */
async function removeRemains(paths: ClusterPaths): Promise<boolean> {
  const entries = await readdir(paths.root).catch(() => undefined);
  const files = [...Object.values(paths), settingsCopy(paths), tokenFile(paths)];
  const own = new Set(files.map((path) => basename(path)));
  if (entries === undefined || !entries.every((entry) => own.has(fileBehind(entry)))) return false;
  if (entries.includes(basename(paths.run))) {
    await using _lock = await takeLock(paths);
  }
  await rm(paths.root, { recursive: true, force: true });
  await releaseSlots(paths);
  await rmdir(paths.home).catch(() => {});
  return true;
}

const noSuchCluster = ({ name, home }: Target): ClusterError =>
  new ClusterError("NO_CLUSTER", `there is no cluster "${name}" below ${home}; start one with: skiff up`);

async function stop(
  settings: HomeSettings,
  paths: ClusterPaths,
  { machine, clock, step }: Effects,
  signal: AbortSignal,
): Promise<boolean> {
  await stopFurtherNodes(settings, paths, { machine, clock, step }, signal);
  if ((await livingSupervisor(paths, machine)) !== undefined) step("Stopping its processes");
  const wasRunning = await stopProcesses(paths, { machine, clock }, signal);
  step("Stopping its containers");
  await tearDown({ settings, paths, machine, clock }, signal);
  return wasRunning;
}

/** What works on further nodes is loaded where there are any. */
const nodesOf = async (settings: HomeSettings, paths: ClusterPaths) =>
  !isJoined(settings) && existsSync(paths.nodes)
    ? { cluster: { settings, paths }, nodes: await import("../nodes/stop-nodes.ts") }
    : undefined;

async function stopFurtherNodes(
  settings: HomeSettings,
  paths: ClusterPaths,
  effects: Effects,
  signal: AbortSignal,
): Promise<void> {
  const found = await nodesOf(settings, paths);
  if (found === undefined) return;
  effects.step("Stopping its further nodes");
  await found.nodes.stopNodes(found.cluster, effects, signal);
}

async function deleteFurtherNodes(
  settings: HomeSettings,
  paths: ClusterPaths,
  effects: Effects,
  signal: AbortSignal,
): Promise<void> {
  const found = await nodesOf(settings, paths);
  await found?.nodes.deleteAllNodes(found.cluster, effects, signal);
}
