/** What starting a cluster and joining one have in common: the home's folders and lock, and what the machine must have. */
import { mkdir, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Clock } from "@skiff/base";
import { allRequirements, type FileLock, installCommand, LockHeld, lockFile } from "@skiff/host";
import type { ClusterPaths } from "../settings/paths.ts";
import { portIsFree } from "../settings/ports.ts";
import { ClusterError, type HomeSettings, type RuntimeKind } from "../settings/settings.ts";
import { type SupervisorTarget, startSupervisor } from "../supervise/start-supervisor.ts";
import { type Machine, noteBoot, rebootedSince } from "./machine.ts";
import { tearDown } from "./tear-down.ts";

/** Hears of the steps as they begin. */
export interface StartReport {
  step(text: string): void;
  note(text: string): void;
}

/** How long a node may take until it is Ready. */
export const nodeDeadlineMs = 120_000;

/** Makes the folders of a cluster, or of a node that joins one. Throws `ClusterError` where it may not. */
export async function makeFolders(paths: ClusterPaths): Promise<void> {
  try {
    await makeFolder(paths.root);
    for (const folder of [paths.run, paths.logs, paths.kubelet, paths.podLogs]) {
      await mkdir(folder, { recursive: true });
    }
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new ClusterError(
      "HOME_UNWRITABLE",
      `cannot write to ${paths.root} (${why}); choose another place with --home DIR`,
      {
        cause: error,
      },
    );
  }
}

/** Like `mkdir -p`. Node's own tries for ever where a file system lets nobody make folders (`/proc`). */
async function makeFolder(path: string): Promise<void> {
  if (await isFolder(path)) return;
  const parent = dirname(path);
  if (parent !== path) await makeFolder(parent);
  await mkdir(path).catch(async (error: unknown) => {
    // Another command may have been faster.
    if (!(await isFolder(path))) throw error;
  });
}

const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );

/** One command at a time works on a cluster. Throws `ClusterError` while another does. */
export async function takeLock(paths: ClusterPaths): Promise<FileLock> {
  try {
    return await lockFile(paths.lock);
  } catch (error) {
    if (!(error instanceof LockHeld)) throw error;
    throw new ClusterError(
      "BUSY",
      `another skiff command (process ${error.holder.pid}) is working on this cluster; wait for it`,
      {
        cause: error,
      },
    );
  }
}

/** Throws `ClusterError` where this machine cannot run what the runtime runs. */
export function checkRuntime(runtime: RuntimeKind, { isRoot }: { readonly isRoot: boolean }): void {
  if (runtime === "simulated" || (process.platform === "linux" && isRoot)) return;
  const why = process.platform === "linux" ? "Running containers needs root" : "Running containers needs Linux";
  const how = process.platform === "linux" ? "run it with sudo, or " : "";
  throw new ClusterError("NEEDS_ROOT", `${why}: ${how}use --runtime simulated, where pods "run" in memory only`);
}

/** Installs what containers need and this machine lacks. Throws `ClusterError` where that cannot be. */
export async function ensurePackages(
  machine: Machine,
  { isRoot, report }: { readonly isRoot: boolean; readonly report: StartReport },
  signal: AbortSignal,
): Promise<void> {
  const missing = await machine.packages.missing(allRequirements);
  if (missing.length === 0) return;
  if (isRoot && (await machine.packages.canInstall())) {
    await machine.packages.install(missing, (name) => report.step(`Installing ${name}`), signal);
    return;
  }
  const system = await machine.packages.operatingSystem();
  const command = installCommand(missing, system);
  throw new ClusterError(
    "PACKAGES_MISSING",
    command === undefined
      ? `these are missing, and ${system.prettyName} is not known to Skiff: ${missing.join(", ")}`
      : `some system packages are missing; install them with:\n  ${command}`,
  );
}

/** Throws `ClusterError` for a port that something else listens on. */
export async function checkPorts(
  { name }: Pick<HomeSettings, "name">,
  ports: Readonly<Record<string, number>>,
): Promise<void> {
  for (const [what, port] of Object.entries(ports)) {
    if (await portIsFree(port)) continue;
    throw new ClusterError(
      "PORT_TAKEN",
      `port ${port}, which ${what} of cluster "${name}" needs, is already in use; end what listens there (ss -ltnp 'sport = :${port}' tells), or delete the cluster and start it anew with other ports`,
    );
  }
}

/** Finds out now what the agent would only write into its log. */
export async function checkKubeletArgs(list: readonly string[], paths: ClusterPaths): Promise<void> {
  const { parseKubeletArgs } = await import("../agent/kubelet-args.ts");
  const { readCredentialProviders, readNodeConfiguration } = await import("../agent/node-configuration.ts");
  const args = parseKubeletArgs(list, { whole: true });
  await readNodeConfiguration(paths.kubeletConfiguration, args);
  await readCredentialProviders(args);
}

/** Starts the supervisor of a home that does not run, on a machine without anything of an earlier boot. */
export async function startProcesses(
  target: SupervisorTarget,
  settings: HomeSettings,
  { paths, machine, clock }: { readonly paths: ClusterPaths; readonly machine: Machine; readonly clock: Clock },
  signal: AbortSignal,
): Promise<void> {
  if (await rebootedSince(paths)) await tearDown({ settings, paths, machine, clock }, signal);
  await noteBoot(paths);
  await rm(join(paths.run, "processes.json"), { force: true });
  await startSupervisor(target, paths, { processes: machine.processes, clock });
}
