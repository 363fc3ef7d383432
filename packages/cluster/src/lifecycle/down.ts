import { rm, rmdir } from "node:fs/promises";
import type { Clock } from "@skiff/base";
import { contextName, removeFromKubeconfig } from "../kubeconfig/kubeconfig.ts";
import { type ClusterPaths, clusterPaths } from "../settings/paths.ts";
import { ClusterError, type ClusterSettings, readSettings } from "../settings/settings.ts";
import type { Machine } from "./machine.ts";
import { livingSupervisor, processStates } from "./running.ts";
import { tearDown } from "./tear-down.ts";
import { takeLock } from "./up.ts";

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
  const settings = await readSettings(paths);
  if (settings === undefined) throw noSuchCluster(target);
  await using _lock = await takeLock(paths);
  return stop(settings, paths, effects, signal);
}

/** Stops a cluster and removes every trace of it: folder, kubeconfig entry and what the machine holds. */
export async function deleteCluster(
  target: Target & { readonly kubeconfig: string },
  effects: Effects,
  signal: AbortSignal,
): Promise<void> {
  const paths = clusterPaths(target.home, target.name);
  const settings = await readSettings(paths);
  if (settings === undefined) throw noSuchCluster(target);
  {
    await using _lock = await takeLock(paths);
    await stop(settings, paths, effects, signal);
    effects.step("Removing its files");
    await removeFromKubeconfig(target.kubeconfig, contextName(settings.name));
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
  await rmdir(paths.home).catch(() => {});
  await rmdir("/run/skiff").catch(() => {});
}

const noSuchCluster = ({ name, home }: Target): ClusterError =>
  new ClusterError("NO_CLUSTER", `there is no cluster "${name}" below ${home}; start one with: skiff up`);

async function stop(
  settings: ClusterSettings,
  paths: ClusterPaths,
  { machine, clock, step }: Effects,
  signal: AbortSignal,
): Promise<boolean> {
  const supervisor = await livingSupervisor(paths, machine);
  if (supervisor !== undefined) {
    step("Stopping its processes");
    machine.processes.signal(supervisor, "SIGTERM");
    while (machine.processes.isAlive(supervisor)) await clock.sleep(20, signal);
  }
  // What a supervisor that was killed left behind.
  for (const state of await processStates(paths, machine)) {
    if (!state.alive || state.name === "supervisor") continue;
    machine.processes.signal(state, "SIGKILL");
    while (machine.processes.isAlive(state)) await clock.sleep(20, signal);
  }
  step("Stopping its containers");
  await tearDown({ settings, paths, machine, clock }, signal);
  return supervisor !== undefined;
}
