import { createLogger, type LogLevel } from "@skiff/base";
import { runAgent, runServer, runSupervisor, systemMachine } from "@skiff/cluster";
import { Option } from "commander";
import type { CommandContext, GlobalOptions } from "../command-context.ts";
import { type DefineCommand, withCluster } from "../command-line.ts";

interface ProcessFlags extends GlobalOptions {
  readonly logLevel: LogLevel;
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
    .addOption(logLevelOption());
  withCluster(command, context).action((flags: ProcessFlags) =>
    runServer(
      { name: flags.name, home: flags.home, self: context.self },
      {
        processes: systemMachine().processes,
        clock: context.clock,
        logger: logger("server", flags, context),
      },
      context.signal,
    ),
  );
};

/** `skiff agent`: the kubelet, service proxy and DNS of a node, in the foreground. */
export const agentCommand: DefineCommand = (program, context) => {
  const command = program
    .command("agent")
    .description("run the kubelet, service proxy and DNS of a node in the foreground")
    .addOption(logLevelOption());
  withCluster(command, context).action((flags: ProcessFlags) =>
    runAgent(
      flags,
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
    .addOption(logLevelOption());
  withCluster(command, context).action((flags: ProcessFlags) =>
    runSupervisor(
      { name: flags.name, home: flags.home, self: context.self },
      { machine: systemMachine(), clock: context.clock, logger: logger("supervisor", flags, context) },
      context.signal,
    ),
  );
};
