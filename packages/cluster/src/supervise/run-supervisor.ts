import { join } from "node:path";
import type { Clock, Logger } from "@skiff/base";
import { lockFile, nfsServerProgram, prepareNfsServer } from "@skiff/host";
import type { Machine } from "../lifecycle/machine.ts";
import { type ClusterPaths, clusterPaths } from "../settings/paths.ts";
import { ClusterError, type HomeSettings, isJoined, nfsPort, readHomeSettings } from "../settings/settings.ts";
import { isNoted, type SupervisorTarget } from "./start-supervisor.ts";
import { type Program, type SupervisedProcess, Supervisor } from "./supervisor.ts";

/**
 * How V8 looks after young objects. The server gets V8's usual room for them, from the start a part of it: with less it collects
 * so often that this costs a third of what it does, and what a busy minute took is given back at rest. The agent has less to
 * do, and each MiB is three of resident memory. One thread collects: with so little to collect, calling more together costs
 * more than they save.
 */
const memoryOptions = {
  server: ["--min-semi-space-size=4", "--max-semi-space-size=16", "--no-parallel-scavenge", "--expose-gc"],
  agent: ["--max-semi-space-size=1", "--no-parallel-scavenge", "--expose-gc"],
} as const;

/**
 * The C library otherwise keeps an arena a thread, each with its own holes, and gives hardly anything back: a third of
 * the memory of a server that has been busy.
 */
const memoryEnvironment = { MALLOC_ARENA_MAX: "2", MALLOC_TRIM_THRESHOLD_: "131072" };

/** The server of volumes that many pods share. */
const nfsServer = (command: string, settings: HomeSettings, paths: ClusterPaths): SupervisedProcess => ({
  name: "nfs",
  program: async () => ({
    command,
    args: await prepareNfsServer({ root: paths.volumes, folder: join(paths.run, "nfs"), port: nfsPort(settings) }),
  }),
  stopMs: 5_000,
});

/**
 * Runs the processes of a cluster until the signal is aborted, containerd as the last to be stopped: the agent always finds
 * it. All start beside each other and wait for what they need by themselves; the server, which takes longest and which
 * people wait for, does not wait until containerd's files are written. `startedBy`: pid of the process that notes this one.
 * Throws what makes that impossible.
 */
export async function runSupervisor(
  options: SupervisorTarget & { readonly startedBy?: number | undefined },
  effects: { readonly machine: Machine; readonly clock: Clock; readonly logger: Logger },
  signal: AbortSignal,
): Promise<void> {
  const paths = clusterPaths(options.home, options.name);
  const settings = await readHomeSettings(paths);
  if (settings === undefined)
    throw new ClusterError("NO_CLUSTER", `there is no cluster "${options.name}" below ${options.home}`);
  const { startedBy } = options;
  if (
    startedBy !== undefined &&
    !(await isNoted(startedBy, paths, { ...effects.machine, clock: effects.clock }, signal))
  ) {
    effects.logger.warn("the command that started this supervisor was ended before it could note it; ending as well");
    return;
  }
  await using _only = await lockFile(join(paths.run, "supervisor.lock"));
  const impossible = new AbortController();
  const ended = AbortSignal.any([signal, impossible.signal]);
  const { self } = options;
  const own = (name: "server" | "agent"): SupervisedProcess => ({
    name,
    program: () => ({
      command: self.command,
      args: [...memoryOptions[name], ...self.args, name, "--home", options.home, "--name", options.name],
    }),
    env: { ...process.env, ...memoryEnvironment },
    stopMs: 10_000,
  });
  const runtime = Promise.withResolvers<Program>();
  const containerd: SupervisedProcess = { name: "containerd", program: () => runtime.promise, stopMs: 5_000 };
  const isReal = settings.runtime !== "simulated";
  const nfs = isReal ? await nfsServerProgram(effects.machine.mounts, ended) : undefined;
  const shares = nfs === undefined ? [] : [nfsServer(nfs, settings, paths)];
  // The server of a node that joined its cluster is elsewhere.
  const server = isJoined(settings) ? [] : [own("server")];
  const specs = [...(isReal ? [containerd] : []), ...shares, ...server, own("agent")];
  const running = new Supervisor(specs, {
    processes: effects.machine.processes,
    clock: effects.clock,
    logger: effects.logger,
    paths,
  }).run(ended);
  if (isReal) {
    const { prepareNodeRuntime } = await import("../agent/node-runtime.ts");
    runtime.promise.catch(() => {});
    const prepared = prepareNodeRuntime(settings, paths, effects.machine, ended);
    prepared.then(runtime.resolve, (error: unknown) => {
      runtime.reject(error);
      impossible.abort(error);
    });
  }
  await running;
  if (impossible.signal.aborted) throw impossible.signal.reason;
}
