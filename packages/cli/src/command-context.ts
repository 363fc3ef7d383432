import type { Clock } from "@skiff/base";
import type { ClusterPaths, SelfCommand } from "@skiff/cluster";
import type { Progress, TextSink } from "./terminal/progress.ts";

/** Options that every command has. */
export interface GlobalOptions {
  readonly name: string;
  readonly home: string;
  readonly output?: "json" | undefined;
}

/** What a command is given: its surroundings, not its own options. */
export interface CommandContext {
  readonly clock: Clock;
  /** Standard output: the answer. */
  readonly out: TextSink;
  /** Standard error: progress and failures. */
  readonly err: TextSink;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly isRoot: boolean;
  /** How the processes of the cluster call this very program. */
  readonly self: SelfCommand;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
}

/** A cluster that a command works on. */
export interface CommandTarget {
  readonly paths: ClusterPaths;
  readonly progress: Progress;
}

/** Exit codes of the command, beside 0. */
export const exitCodes = { failure: 1, usage: 2, notRunning: 3 } as const;

/** Ends the command with a code after it has said what there was to say. */
export class CommandFailure extends Error {
  override name = "CommandFailure";
  readonly code = "COMMAND_FAILED";
  readonly exitCode: number;
  constructor(message: string, exitCode: number = exitCodes.failure) {
    super(message);
    this.exitCode = exitCode;
  }
}
