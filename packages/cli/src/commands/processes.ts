import { createLogger, type LogLevel } from "@skiff/base";
import { runAgent, runServer, runSupervisor, systemMachine } from "@skiff/cluster";
import { InvalidArgumentError, Option } from "commander";
import type { CommandContext, GlobalOptions } from "../command-context.ts";
import { type DefineCommand, withCluster } from "../command-line.ts";

interface ProcessFlags extends GlobalOptions {
  readonly logLevel: LogLevel;
}

interface ServerFlags extends ProcessFlags {
  readonly auditPolicyFile?: string;
  readonly auditLogPath?: string;
  readonly auditLogMaxsize: number;
  readonly auditLogMaxbackup: number;
  readonly auditLogMaxage: number;
}

const auditFlags = (flags: ServerFlags) => ({
  ...(flags.auditPolicyFile === undefined ? {} : { policyFile: flags.auditPolicyFile }),
  ...(flags.auditLogPath === undefined ? {} : { logPath: flags.auditLogPath }),
  maxSize: flags.auditLogMaxsize,
  maxBackup: flags.auditLogMaxbackup,
  maxAge: flags.auditLogMaxage,
});

function wholeNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError("must be a whole number");
  return Number(text);
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
    .option(
      "--audit-policy-file <file>",
      "what is written to the audit log (audit-policy.yaml of the cluster's folder)",
    )
    .option("--audit-log-path <file>", "where the audit log goes; - is standard output")
    .option("--audit-log-maxsize <megabytes>", "size at which a file of the audit log is put aside", wholeNumber, 100)
    .option("--audit-log-maxbackup <count>", "how many files that were put aside are kept; 0 is all", wholeNumber, 0)
    .option("--audit-log-maxage <days>", "for how many days they are kept; 0 is for ever", wholeNumber, 0);
  withCluster(command, context).action((flags: ServerFlags) =>
    runServer(
      { name: flags.name, home: flags.home, self: context.self, audit: auditFlags(flags) },
      {
        processes: systemMachine().processes,
        clock: context.clock,
        logger: logger("server", flags, context),
        print: (line) => context.out.write(`${line}\n`),
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
