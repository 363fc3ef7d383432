import { createLogger, type LogLevel } from "@skiff/base";
import {
  podRangesOf,
  prepareServer,
  type RuntimeKind,
  runAgent,
  runServer,
  runSupervisor,
  systemMachine,
} from "@skiff/cluster";
import { Option } from "commander";
import type { CommandContext, GlobalOptions } from "../command-context.ts";
import { type DefineCommand, portNumber, withCluster } from "../command-line.ts";
import { type DatastoreFlags, datastoreOf, tokenOf, withDatastore } from "../datastore-flags.ts";
import { type PodRangeFlags, podRangeFlags, withPodRanges } from "../pod-range-flags.ts";
import { schedulerConfigOption } from "../scheduler-option.ts";

interface ProcessFlags extends GlobalOptions {
  readonly logLevel: LogLevel;
}

interface ServerFlags extends ProcessFlags, DatastoreFlags, PodRangeFlags {
  readonly apiPort?: number;
  readonly runtime?: RuntimeKind;
  readonly schedulerConfig?: string;
}

const logLevelOption = () =>
  new Option("--log-level <level>", "how much to log").choices(["debug", "info", "warn", "error"]).default("info");

const logger = (name: string, { logLevel }: ProcessFlags, { clock, out }: CommandContext) =>
  createLogger({ clock, level: logLevel, name, write: (line) => out.write(`${line}\n`) });

/** `skiff server`: the store, API server, controllers and scheduler of a cluster, in the foreground. */
export const serverCommand: DefineCommand = (program, context) => {
  const command = program
    .command("server")
    .description("run the API server, controllers and scheduler of a cluster in the foreground")
    .addOption(logLevelOption())
    .addOption(
      new Option("--api-port <port>", "port of the API server of a cluster that etcd keeps").argParser(portNumber),
    )
    .addOption(new Option("--runtime <runtime>", "what its node runs pods on").choices(["containerd", "simulated"]))
    .addOption(schedulerConfigOption());
  withCluster(withDatastore(withPodRanges(command)), context).action((flags: ServerFlags) => server(flags, context));
};

async function server(flags: ServerFlags, context: CommandContext): Promise<void> {
  const { clock, signal, self } = context;
  const { name, home, apiPort, runtime } = flags;
  const machine = systemMachine();
  const datastore = datastoreOf(flags);
  // A server of an etcd needs no `skiff up` before it.
  if (datastore !== undefined) {
    const token = await tokenOf(flags, context);
    const podRanges = podRangesOf(podRangeFlags(flags));
    await prepareServer({ name, home, datastore, token, apiPort, runtime, podRanges }, { machine, clock });
  }
  const effects = { processes: machine.processes, clock, logger: logger("server", flags, context) };
  await runServer({ name, home, self, schedulerConfig: flags.schedulerConfig }, effects, signal);
}

/** `skiff agent`: the kubelet, service proxy and DNS of a node, in the foreground. */
export const agentCommand: DefineCommand = (program, context) => {
  const command = program
    .command("agent")
    .description("run the kubelet, service proxy and DNS of a node in the foreground")
    .addOption(logLevelOption());
  withCluster(command, context).action((flags: ProcessFlags) =>
    runAgent(
      { name: flags.name, home: flags.home, self: context.self },
      { machine: systemMachine(), clock: context.clock, logger: logger("agent", flags, context) },
      context.signal,
    ),
  );
};

/** `skiff supervise`: what `skiff up` starts; keeps the other processes running. */
export const superviseCommand: DefineCommand = (program, context) => {
  const command = program
    .command("supervise", { hidden: true })
    .description("keep the processes of a cluster running")
    .addOption(logLevelOption())
    .addOption(new Option("--started-by <pid>", "process that notes this one").argParser(Number));
  withCluster(command, context).action((flags: ProcessFlags & { readonly startedBy?: number }) =>
    runSupervisor(
      { name: flags.name, home: flags.home, self: context.self, startedBy: flags.startedBy },
      { machine: systemMachine(), clock: context.clock, logger: logger("supervisor", flags, context) },
      context.signal,
    ),
  );
};
