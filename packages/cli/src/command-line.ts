import { resolve } from "node:path";
import { describeError } from "@skiff/base";
import { ClusterError, defaultHome } from "@skiff/cluster";
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { type CommandContext, CommandFailure, exitCodes, type GlobalOptions } from "./command-context.ts";
import { commands } from "./commands/list.ts";
import { version } from "./version.ts";

/** Adds a command to the program. One file a command; `commands/list.ts` names them all. */
export type DefineCommand = (program: Command, context: CommandContext) => void;

/** Runs `skiff WORDS…` and gives its exit code: 0, 1 for failures, 2 for usage, 3 for a cluster that does not run. */
export async function runCommandLine(words: readonly string[], context: CommandContext): Promise<number> {
  const program = new Command("skiff")
    .description("Kubernetes 1.36 on this machine, by one command.")
    .version(version, "-V, --version")
    .configureOutput({ writeOut: (text) => context.out.write(text), writeErr: (text) => context.err.write(text) })
    .exitOverride()
    .showHelpAfterError("(see skiff --help)");
  for (const define of commands) define(program, context);
  try {
    await program.parseAsync(words, { from: "user" });
    return 0;
  } catch (error) {
    return failureCode(error, context);
  }
}

function failureCode(error: unknown, context: CommandContext): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exitCodes.usage;
  if (context.signal.aborted) return 130;
  if (error instanceof CommandFailure) {
    if (error.message !== "") context.err.write(`${error.message}\n`);
    return error.exitCode;
  }
  // What the cluster says is meant for people as it stands; its causes are for programs.
  context.err.write(`skiff: ${error instanceof ClusterError ? error.message : describeError(error)}\n`);
  if (error instanceof ClusterError && error.code === "NO_CLUSTER") return exitCodes.notRunning;
  if (!(error instanceof ClusterError) && error instanceof Error && context.environment.SKIFF_DEBUG) {
    context.err.write(`${error.stack}\n`);
  }
  return exitCodes.failure;
}

/** `--name` and `--home`, which nearly every command has. */
export function withCluster(command: Command, context: CommandContext): Command {
  return command
    .addOption(new Option("--name <name>", "which cluster").default("default").argParser(clusterName))
    .addOption(
      // The processes of a cluster work in other folders than this command: the path must not depend on it.
      new Option("--home <dir>", "folder that holds all state")
        .default(resolve(defaultHome(context.environment, context.isRoot)))
        .argParser((path) => resolve(path)),
    );
}

/** `-o json`, for commands that give data. */
export const withOutput = (command: Command): Command =>
  command.addOption(new Option("-o, --output <format>", "print data for programs").choices(["json"]));

/** A cluster's name becomes part of file, context and node names. */
function clusterName(text: string): string {
  if (/^[a-z0-9]([a-z0-9-]{0,28}[a-z0-9])?$/.test(text)) return text;
  throw new InvalidArgumentError("A name has lower case letters, digits and '-', 30 characters at most.");
}

/** A TCP port from the command line. */
export function portNumber(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port;
  throw new InvalidArgumentError("A port is a number from 1 to 65535.");
}

/** Writes an answer as JSON. */
export const writeJson = (context: CommandContext, value: unknown): void =>
  context.out.write(`${JSON.stringify(value, undefined, 2)}\n`);

export type { GlobalOptions };
