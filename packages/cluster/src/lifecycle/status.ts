import { furtherNodes } from "../nodes/further-nodes.ts";
import { clusterPaths } from "../settings/paths.ts";
import { type HomeSettings, readHomeSettings, serverUrl } from "../settings/settings.ts";
import type { Machine } from "./machine.ts";
import { type ProcessState, probeApi, processStates, readAccess } from "./running.ts";

/** What `skiff status` tells of a cluster. */
export interface ClusterStatus {
  readonly name: string;
  /** `degraded`: it was started, but something of it does not answer. */
  readonly state: "running" | "degraded" | "stopped";
  readonly server: string;
  readonly settings: HomeSettings;
  readonly processes: readonly ProcessState[];
  /** Nodes of this machine beside the first. */
  readonly furtherNodes: readonly NodeProcesses[];
  readonly apiReady: boolean;
}

/** What runs for a further node of this machine. */
export interface NodeProcesses {
  readonly nodeName: string;
  readonly processes: readonly ProcessState[];
}

/** Looks at a cluster; `undefined` when there is none of that name. */
export async function clusterStatus(
  target: { readonly name: string; readonly home: string },
  machine: Machine,
  signal: AbortSignal,
): Promise<ClusterStatus | undefined> {
  const paths = clusterPaths(target.home, target.name);
  const settings = await readHomeSettings(paths);
  if (settings === undefined) return undefined;
  const processes = await processStates(paths, machine);
  const access = await readAccess(settings, paths);
  const ready = access === undefined ? undefined : await probeApi({ ...access, path: "/readyz" }, signal);
  const apiReady = ready?.status === 200;
  const further = furtherNodes(settings, paths).map(async ({ nodeName, paths: home }) => ({
    nodeName,
    processes: await processStates(home, machine),
  }));
  const nodes = await Promise.all(further);
  const living = processes.filter(({ alive }) => alive);
  const whole = apiReady && [{ processes }, ...nodes].every((one) => isWhole(one.processes));
  return {
    name: settings.name,
    state: living.length === 0 ? "stopped" : whole ? "running" : "degraded",
    server: serverUrl(settings),
    settings,
    processes,
    furtherNodes: nodes,
    apiReady,
  };
}

const isWhole = (processes: readonly ProcessState[]): boolean =>
  processes.length > 0 && processes.every(({ alive }) => alive);
