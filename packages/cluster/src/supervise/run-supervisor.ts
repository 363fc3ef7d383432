import { join } from "node:path";
import type { Clock, Logger } from "@skiff/base";
import { lockFile } from "@skiff/host";
import { prepareNodeRuntime } from "../agent/node-runtime.ts";
import type { Machine } from "../lifecycle/machine.ts";
import { clusterPaths } from "../settings/paths.ts";
import { ClusterError, readSettings } from "../settings/settings.ts";
import type { SupervisorTarget } from "./start-supervisor.ts";
import { type SupervisedProcess, Supervisor } from "./supervisor.ts";

/**
 * How much room V8 gives young objects, in MiB. Its own choice (16) suits programs that have a machine to themselves; each
 * MiB here is three of resident memory.
 */
const memoryOptions = {
  server: ["--max-semi-space-size=4", "--expose-gc"],
  agent: ["--max-semi-space-size=1", "--expose-gc"],
} as const;

/**
 * The C library otherwise keeps an arena a thread, each with its own holes, and gives hardly anything back: a third of
 * the memory of a server that has been busy.
 */
const memoryEnvironment = { MALLOC_ARENA_MAX: "2", MALLOC_TRIM_THRESHOLD_: "131072" };

/**
 * Runs the processes of a cluster until the signal is aborted. containerd comes first and is stopped last, so that the
 * agent always finds it; server and agent start beside it and wait for what they need by themselves.
 */
export async function runSupervisor(
  options: SupervisorTarget,
  effects: { readonly machine: Machine; readonly clock: Clock; readonly logger: Logger },
  signal: AbortSignal,
): Promise<void> {
  const paths = clusterPaths(options.home, options.name);
  const settings = await readSettings(paths);
  if (settings === undefined)
    throw new ClusterError("NO_CLUSTER", `there is no cluster "${options.name}" below ${options.home}`);
  await using _only = await lockFile(join(paths.run, "supervisor.lock"));
  const { self } = options;
  const own = (name: "server" | "agent"): SupervisedProcess => ({
    name,
    command: self.command,
    args: [...memoryOptions[name], ...self.args, name, "--home", options.home, "--name", options.name],
    env: { ...process.env, ...memoryEnvironment },
    stopMs: 10_000,
  });
  const runtime = await prepareNodeRuntime(settings, paths, effects.machine, signal);
  const containerd: readonly SupervisedProcess[] =
    runtime === undefined ? [] : [{ name: "containerd", command: runtime.command, args: runtime.args, stopMs: 5_000 }];
  const specs = [...containerd, own("server"), own("agent")];
  await new Supervisor(specs, {
    processes: effects.machine.processes,
    clock: effects.clock,
    logger: effects.logger,
    paths,
  }).run(signal);
}
