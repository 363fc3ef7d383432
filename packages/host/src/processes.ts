import { spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { createInterface } from "node:readline";

/**
 * Which process is meant. A pid alone is not enough to remember one by: after its end the kernel gives the number to
 * another. `startTicks` is the start time from `/proc/PID/stat` (clock ticks since boot); 0 where there is no `/proc`.
 */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startTicks: number;
}

/** How a process ended. `code` is 128 + the signal's number for one that a signal ended, as shells say it. */
export interface ProcessExit {
  readonly code: number;
  /** Name of the signal that ended it, as in `SIGKILL`. */
  readonly signal?: string;
}

/** What a command that ran to its end left behind. */
export interface CommandResult extends ProcessExit {
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly args: readonly string[];
  readonly stdin?: string | Uint8Array;
  /** After this many milliseconds the command is killed and the call throws `CommandError` with code `TIMEOUT`. */
  readonly timeoutMs?: number;
  /** The whole environment; this process' own where not given. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
}

/** Where a long-lived process' output goes: appended to a file, or line by line (both streams) to a callback. */
export type ProcessLog =
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "lines"; readonly onLine: (line: string) => void }
  | { readonly kind: "inherit" }
  | { readonly kind: "none" };

export interface StartOptions {
  readonly args: readonly string[];
  readonly log: ProcessLog;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** Its own session: survives the end of this process and its terminal. */
  readonly detached?: boolean;
}

/** A process that this one started and that goes on. */
export interface StartedProcess {
  readonly identity: ProcessIdentity;
  readonly exit: Promise<ProcessExit>;
  /** False once it has ended. */
  kill(signal: NodeJS.Signals): boolean;
  /** Lets this process end although the other one goes on. */
  unref(): void;
}

/** What a process uses now. */
export interface ProcessUsage {
  readonly residentBytes: number;
  /** User and system time since its start, in milliseconds. */
  readonly cpuMs: number;
}

export type CommandErrorCode = "NOT_INSTALLED" | "TIMEOUT" | "FAILED";

/** A command is missing, took too long, or ended with another code than 0. */
export class CommandError extends Error {
  override name = "CommandError";
  readonly code: CommandErrorCode;
  readonly result: CommandResult | undefined;
  constructor(code: CommandErrorCode, message: string, options?: { result?: CommandResult; cause?: unknown }) {
    super(message, { cause: options?.cause });
    this.code = code;
    this.result = options?.result;
  }
}

/** Starting, watching and ending processes. */
export interface Processes {
  /** Runs a command to its end, whatever its exit code. Aborting kills it. */
  run(command: string, options: RunOptions, signal: AbortSignal): Promise<CommandResult>;
  /** As `run`, but gives the standard output, and throws `CommandError` with the command's words when it fails. */
  output(command: string, options: RunOptions, signal: AbortSignal): Promise<string>;
  /** Starts a command that goes on. Throws `CommandError` with code `NOT_INSTALLED` when there is no such file. */
  start(command: string, options: StartOptions): Promise<StartedProcess>;
  /** The process of this pid as it is now, or `undefined` when there is none (zombies do not count). */
  identify(pid: number): ProcessIdentity | undefined;
  /** Whether it is still the same process that runs. */
  isAlive(identity: ProcessIdentity): boolean;
  /** False when it is gone; a process that has since got the same pid is left alone. */
  signal(identity: ProcessIdentity, signal: NodeJS.Signals): boolean;
  /** `undefined` when the process is gone or the system does not say. */
  usage(pid: number): ProcessUsage | undefined;
}

const outputLimitBytes = 64 * 1024 * 1024;
/** The kernel's USER_HZ, which is 100 on every platform Node runs on. */
const ticksPerSecond = 100;
const pageBytes = 4096;

const signalNumbers: Readonly<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGABRT: 6,
  SIGKILL: 9,
  SIGSEGV: 11,
  SIGPIPE: 13,
  SIGTERM: 15,
};

const exitOf = (code: number | null, signal: string | null): ProcessExit =>
  signal === null ? { code: code ?? 0 } : { code: 128 + (signalNumbers[signal] ?? 0), signal };

async function run(command: string, options: RunOptions, signal: AbortSignal): Promise<CommandResult> {
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<CommandResult>();
  const child = spawn(command, options.args, {
    stdio: ["pipe", "pipe", "pipe"],
    ...(options.env === undefined ? {} : { env: options.env }),
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  let bytes = 0;
  const collect = (chunks: Buffer[]) => (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= outputLimitBytes) chunks.push(chunk);
  };
  child.stdout.on("data", collect(stdout));
  child.stderr.on("data", collect(stderr));
  // A command may end without reading its input: that is its business, not a failure of ours.
  child.stdin.on("error", () => {});
  child.stdin.end(options.stdin);
  const onAbort = () => {
    child.kill("SIGKILL");
    reject(signal.reason);
  };
  signal.addEventListener("abort", onAbort, { once: true });
  const timer =
    options.timeoutMs === undefined
      ? undefined
      : setTimeout(() => {
          child.kill("SIGKILL");
          reject(new CommandError("TIMEOUT", `${command} did not end within ${options.timeoutMs} ms`));
        }, options.timeoutMs);
  child.on("error", (error) => reject(startError(command, error)));
  child.on("close", (code, endedBy) =>
    resolve({
      ...exitOf(code, endedBy),
      stdout: Buffer.concat(stdout).toString(),
      stderr: Buffer.concat(stderr).toString(),
    }),
  );
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
  }
}

function startError(command: string, error: Error): CommandError {
  const missing = "code" in error && error.code === "ENOENT";
  return missing
    ? new CommandError("NOT_INSTALLED", `${command}: command not found`, { cause: error })
    : new CommandError("FAILED", `${command} cannot be started`, { cause: error });
}

async function output(command: string, options: RunOptions, signal: AbortSignal): Promise<string> {
  const result = await run(command, options, signal);
  if (result.code === 0) return result.stdout;
  const words = result.stderr.trim() || result.stdout.trim() || `exit code ${result.code}`;
  throw new CommandError("FAILED", `${command} ${options.args.join(" ")}: ${words}`, { result });
}

async function start(command: string, options: StartOptions): Promise<StartedProcess> {
  const { log } = options;
  const file = log.kind === "file" ? openSync(log.path, "a", 0o640) : undefined;
  const sink = file ?? (log.kind === "lines" ? "pipe" : log.kind === "inherit" ? "inherit" : "ignore");
  const child = spawn(command, options.args, {
    stdio: ["ignore", sink, sink],
    detached: options.detached ?? false,
    ...(options.env === undefined ? {} : { env: options.env }),
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  if (file !== undefined) closeSync(file);
  const exit = Promise.withResolvers<ProcessExit>();
  const started = Promise.withResolvers<void>();
  child.on("exit", (code, endedBy) => exit.resolve(exitOf(code, endedBy)));
  child.on("error", (error) => started.reject(startError(command, error)));
  child.on("spawn", () => started.resolve());
  if (log.kind === "lines") {
    for (const stream of [child.stdout, child.stderr]) {
      if (stream !== null)
        createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY }).on("line", log.onLine);
    }
  }
  await started.promise;
  const pid = child.pid ?? 0;
  return {
    identity: identify(pid) ?? { pid, startTicks: 0 },
    exit: exit.promise,
    kill: (name) => child.kill(name),
    unref: () => child.unref(),
  };
}

/** Fields of `/proc/PID/stat` after the command's name (which may hold spaces and brackets). */
function statFields(pid: number): readonly string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  } catch {
    return undefined;
  }
}

function canSignal(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

function identify(pid: number): ProcessIdentity | undefined {
  if (!Number.isInteger(pid) || pid <= 0) return undefined;
  const fields = statFields(pid);
  // Without /proc (macOS) only the pid's existence can be told.
  if (fields === undefined) return process.platform !== "linux" && canSignal(pid) ? { pid, startTicks: 0 } : undefined;
  if (fields[0] === "Z" || fields[0] === "X") return undefined;
  return { pid, startTicks: Number(fields[19]) };
}

function isAlive(identity: ProcessIdentity): boolean {
  const now = identify(identity.pid);
  return now !== undefined && (identity.startTicks === 0 || now.startTicks === identity.startTicks);
}

function usage(pid: number): ProcessUsage | undefined {
  const fields = statFields(pid);
  if (fields === undefined) return undefined;
  const [user, system, pages] = [Number(fields[11]), Number(fields[12]), Number(fields[21])];
  return { residentBytes: pages * pageBytes, cpuMs: ((user + system) * 1000) / ticksPerSecond };
}

/** The machine's processes. */
export const systemProcesses: Processes = {
  run,
  output,
  start,
  identify,
  isAlive,
  signal(identity, name) {
    if (!isAlive(identity)) return false;
    try {
      return process.kill(identity.pid, name);
    } catch {
      return false;
    }
  },
  usage,
};
