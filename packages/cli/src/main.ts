/** The entry point of `skiff`: sets up its surroundings and ends with the command's exit code. */
import { systemClock } from "@skiff/base";
import type { CommandContext } from "./command-context.ts";
import { runCommandLine } from "./command-line.ts";

const interrupted = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => interrupted.abort(new Error("interrupted")));
}

const context: CommandContext = {
  clock: systemClock,
  out: { isTerminal: process.stdout.isTTY, write: (text) => process.stdout.write(text) },
  err: { isTerminal: process.stderr.isTTY, write: (text) => process.stderr.write(text) },
  environment: process.env,
  isRoot: process.getuid?.() === 0,
  self: { command: process.execPath, args: [...process.execArgv, process.argv[1] ?? ""] },
  signal: interrupted.signal,
};

process.exitCode = await runCommandLine(process.argv.slice(2), context);
