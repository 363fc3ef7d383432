import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "@skiff/base";
import { localnetOf } from "@skiff/host";
import { removeAllPortRules } from "@skiff/runtime";
import type { ClusterPaths } from "../settings/paths.ts";
import { machineNames, type NodeSettings } from "../settings/settings.ts";
import { type Machine, stateFolder } from "./machine.ts";

/** How long containers may take to end after SIGTERM when the cluster is stopped. */
const containerGraceMs = 3_000;

interface Teardown {
  readonly settings: NodeSettings;
  readonly paths: ClusterPaths;
  readonly machine: Machine;
  readonly clock: Clock;
}

/**
 * Takes away everything that a stopped cluster holds outside its folder: containers with their shims, mounts, network
 * namespaces, routes to other nodes, the bridge, the nft table, rules of pods' ports, control groups. It relies on nothing but names, so that it also cleans up after
 * processes that were killed. Repeating it is fine.
 */
export async function tearDown(teardown: Teardown, signal: AbortSignal): Promise<void> {
  const { settings, paths, machine } = teardown;
  if (settings.runtime === "simulated") return;
  const names = machineNames(settings);
  const state = stateFolder(paths);
  await endContainers(teardown, names.cgroup, signal);
  for (const pid of await shimsOf(state)) {
    const identity = machine.processes.identify(pid);
    if (identity !== undefined) machine.processes.signal(identity, "SIGKILL");
  }
  await removeAllPortRules({ stateDirectory: state }, machine.processes, signal);
  for (const folder of [state, paths.kubelet, paths.containerd]) await machine.mounts.unmountBelow(folder, signal);
  await detachDevices(teardown, signal);
  await machine.nftables.deleteTable("inet", names.nftTable, signal);
  await machine.nftables.deleteTable("ip", names.nftTable, signal);
  await removeRoutes(teardown, signal);
  await machine.network.links.remove(names.bridge, signal);
  machine.cgroups().remove(names.cgroup);
  await rm(state, { recursive: true, force: true });
}

/** Routes to other nodes, the tunnel, and what their links were let carry for them. */
async function removeRoutes({ settings, machine }: Teardown, signal: AbortSignal): Promise<void> {
  const { routeProtocol, tunnel } = machineNames(settings);
  const { routes, links } = machine.network;
  const ours = (await routes.list(signal)).filter(({ protocol }) => protocol === routeProtocol);
  for (const link of new Set(ours.map((route) => route.link ?? ""))) await machine.sysctls.write(localnetOf(link), "0");
  await routes.removeAll(routeProtocol, signal);
  await links.remove(tunnel, signal);
}

/** Loop devices of volumes that pods had as devices. */
async function detachDevices({ paths, machine }: Teardown, signal: AbortSignal): Promise<void> {
  for (const name of await readdir("/sys/block").catch(() => [])) {
    const file = await readFile(join("/sys/block", name, "loop", "backing_file"), "utf8").catch(() => "");
    if (!file.startsWith(`${paths.volumes}/`)) continue;
    await machine.processes.run("losetup", { args: ["-d", `/dev/${name}`] }, signal);
  }
}

async function endContainers({ machine, clock }: Teardown, cgroup: string, signal: AbortSignal): Promise<void> {
  const cgroups = machine.cgroups();
  const pids = await cgroups.processes(cgroup);
  for (const pid of pids) {
    const identity = machine.processes.identify(pid);
    if (identity !== undefined) machine.processes.signal(identity, "SIGTERM");
  }
  const deadlineMs = clock.monotonic() + (pids.length > 0 ? containerGraceMs : 0);
  while (clock.monotonic() < deadlineMs && (await cgroups.processes(cgroup)).length > 0) await clock.sleep(50, signal);
  await cgroups.killAll(cgroup, containerGraceMs);
}

/** The containerd shims that belong to the containerd of this state folder, by the address on their command line. */
async function shimsOf(state: string): Promise<readonly number[]> {
  const pids = (await readdir("/proc").catch(() => [])).filter((name) => /^\d+$/.test(name));
  const found: number[] = [];
  for (const pid of pids) {
    const words = (await readFile(join("/proc", pid, "cmdline"), "utf8").catch(() => "")).split("\0");
    const isShim = words[0]?.includes("containerd-shim") ?? false;
    if (isShim && words.some((word) => word.startsWith(`${state}/`))) found.push(Number(pid));
  }
  return found;
}
