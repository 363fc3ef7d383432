import { readPki } from "../pki/pki.ts";
import { clusterPaths } from "../settings/paths.ts";
import { type ClusterSettings, readSettings } from "../settings/settings.ts";
import type { Machine } from "./machine.ts";
import { type ProcessState, probeApi, processStates } from "./running.ts";
import { serverUrl } from "./up.ts";

/** What `skiff status` tells of a cluster. */
export interface ClusterStatus {
  readonly name: string;
  /** `degraded`: it was started, but something of it does not answer. */
  readonly state: "running" | "degraded" | "stopped";
  readonly server: string;
  readonly settings: ClusterSettings;
  readonly processes: readonly ProcessState[];
  readonly apiReady: boolean;
}

/** Looks at a cluster; `undefined` when there is none of that name. */
export async function clusterStatus(
  target: { readonly name: string; readonly home: string },
  machine: Machine,
  signal: AbortSignal,
): Promise<ClusterStatus | undefined> {
  const paths = clusterPaths(target.home, target.name);
  const settings = await readSettings(paths);
  if (settings === undefined) return undefined;
  const processes = await processStates(paths, machine);
  const pki = await readPki(paths.pki);
  const ready =
    pki === undefined
      ? undefined
      : await probeApi({ port: settings.apiPort, path: "/readyz", authority: pki.authority, admin: pki.admin }, signal);
  const apiReady = ready?.status === 200;
  const living = processes.filter(({ alive }) => alive);
  const whole = apiReady && living.length === processes.length;
  return {
    name: settings.name,
    state: living.length === 0 ? "stopped" : whole ? "running" : "degraded",
    server: serverUrl(settings),
    settings,
    processes,
    apiReady,
  };
}
