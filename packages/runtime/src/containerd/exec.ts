/**
 * Runs a command in a container through containerd's own task API. The streams are named pipes between this process
 * and the container's shim: closing one half leaves the other open, which the streaming server of the CRI cannot do
 * over WebSocket, and the exit code is exact.
 */
import { randomUUID } from "node:crypto";
import { constants, openSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { Socket } from "node:net";
import { join } from "node:path";
import { Writable } from "node:stream";
import { type Clock, isJsonObject } from "@skiff/base";
import type { GrpcChannel } from "@skiff/grpc";
import type { Processes } from "@skiff/host";
import { type ProcessStreams, RuntimeError, type StreamOptions } from "../runtime.ts";
import { unavailable } from "./grpc-error.ts";
import { Containers, nativeCall, Tasks } from "./native.ts";

/** What an exec needs of its surroundings. */
export interface ExecContext {
  readonly channel: GrpcChannel;
  readonly processes: Processes;
  readonly clock: Clock;
  /** Folder for the named pipes. */
  readonly folder: string;
}

const processType = "types.containerd.io/opencontainers/runtime-spec/1/Process";
const killSignal = 9;
/** A process' children may keep its streams open after its end: without news for this long they are given up. */
const silenceMs = 2000;

interface Pipes {
  readonly folder: string;
  readonly stdin: string;
  readonly stdout: string;
  readonly stderr: string;
}

async function makePipes(
  context: ExecContext,
  execId: string,
  options: StreamOptions,
  signal: AbortSignal,
): Promise<Pipes> {
  const folder = join(context.folder, execId);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const path = (name: string, wanted: boolean) => (wanted ? join(folder, name) : "");
  const pipes = {
    folder,
    stdin: path("stdin", options.stdin),
    stdout: path("stdout", options.stdout || options.tty),
    stderr: path("stderr", options.stderr && !options.tty),
  };
  const args = [pipes.stdin, pipes.stdout, pipes.stderr].filter((one) => one !== "");
  if (args.length > 0) await context.processes.output("mkfifo", { args: ["-m", "600", ...args] }, signal);
  return pipes;
}

/** The container's own process, as its specification has it, with another command line. */
async function processSpec(
  context: ExecContext,
  id: string,
  command: readonly string[],
  tty: boolean,
  signal: AbortSignal,
): Promise<Buffer> {
  const { container } = await nativeCall(context.channel, Containers.get, { id }, { signal });
  const spec: unknown = JSON.parse(Buffer.from(container?.spec?.value ?? "{}").toString());
  const own = isJsonObject(spec) && isJsonObject(spec.process) ? spec.process : {};
  const { consoleSize: _size, commandLine: _line, ...process } = own;
  const env = Array.isArray(process.env) ? process.env : [];
  const terminal = tty && !env.some((one) => String(one).startsWith("TERM=")) ? ["TERM=xterm"] : [];
  return Buffer.from(JSON.stringify({ ...process, env: [...env, ...terminal], args: command, terminal: tty }));
}

/** Opened before the shim does: it finds both ends present. Nothing here blocks. */
function openPipes(pipes: Pipes) {
  const reader = (path: string) =>
    path === ""
      ? undefined
      : new Socket({ fd: openSync(path, constants.O_RDONLY | constants.O_NONBLOCK), readable: true, writable: false });
  // Opening for writing alone fails while nobody reads.
  const stdin =
    pipes.stdin === ""
      ? undefined
      : new Socket({
          fd: openSync(pipes.stdin, constants.O_RDWR | constants.O_NONBLOCK),
          readable: false,
          writable: true,
        });
  stdin?.on("error", () => {});
  const [stdout, stderr] = [reader(pipes.stdout), reader(pipes.stderr)];
  return { stdin, stdout, stderr };
}

/** Ending it closes our end of the pipe, and then the shim's. */
function closingStdin(socket: Socket, closeShims: () => Promise<unknown>): Writable {
  return new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      if (socket.destroyed) done();
      else socket.write(chunk, () => done());
    },
    final: (done) => {
      socket.destroy();
      closeShims().then(
        () => done(),
        // The process has ended: nothing is left to close.
        () => done(),
      );
    },
    destroy: (error, done) => {
      socket.destroy();
      done(error);
    },
  });
}

const ended = (stream: Socket | undefined): boolean =>
  stream === undefined || stream.readableEnded || stream.destroyed || stream.errored !== null;

const finished = (stream: Socket | undefined): Promise<void> => {
  if (stream === undefined || ended(stream)) return Promise.resolve();
  const { promise, resolve } = Promise.withResolvers<void>();
  for (const event of ["end", "close", "error"]) stream.once(event, () => resolve());
  return promise;
};

/** Starts the command. Throws `RuntimeError` when it cannot be started, as when there is no such program. */
export async function startExec(
  context: ExecContext,
  containerId: string,
  command: readonly string[],
  options: StreamOptions,
  signal: AbortSignal,
): Promise<ProcessStreams> {
  const execId = randomUUID();
  const ids = { containerId, execId };
  const over = new AbortController();
  const background = { signal: over.signal };
  const quietly = (call: Promise<unknown>) => call.catch(() => {});
  const remove = () =>
    quietly(nativeCall(context.channel, Tasks.deleteProcess, ids, { signal: over.signal, deadlineMs: 10_000 }));
  const [pipes, spec] = await Promise.all([
    makePipes(context, execId, options, signal),
    processSpec(context, containerId, command, options.tty, signal),
  ]);
  const sockets = openPipes(pipes);
  const cleanUp = async () => {
    for (const socket of Object.values(sockets)) socket?.destroy();
    await rm(pipes.folder, { recursive: true, force: true });
  };
  let waiting: Promise<{ readonly exitStatus: number }>;
  try {
    const { stdin, stdout, stderr } = pipes;
    const request = {
      ...ids,
      stdin,
      stdout,
      stderr,
      terminal: options.tty,
      spec: { type_url: processType, value: spec },
    };
    await nativeCall(context.channel, Tasks.exec, request, { signal });
    waiting = nativeCall(context.channel, Tasks.wait, ids, background);
    quietly(waiting);
    await nativeCall(context.channel, Tasks.start, ids, { signal });
  } catch (error) {
    await remove();
    over.abort();
    await cleanUp();
    if (!(error instanceof RuntimeError)) throw error;
    throw new RuntimeError(
      error.code,
      `failed to exec in container: failed to start exec "${execId}": ${error.message}`,
    );
  }
  const kill = () =>
    quietly(
      nativeCall(context.channel, Tasks.kill, { ...ids, signal: killSignal }, { ...background, deadlineMs: 10_000 }),
    );
  const onAbort = () => void quietly(close());
  const settle = async (): Promise<number> => {
    try {
      const { exitStatus } = await waiting;
      sockets.stdin?.destroy();
      await drained(context.clock, [sockets.stdout, sockets.stderr]);
      await remove();
      await Promise.all([finished(sockets.stdout), finished(sockets.stderr)]);
      return exitStatus;
    } finally {
      signal.removeEventListener("abort", onAbort);
      await cleanUp();
      over.abort();
    }
  };
  const exit = settle();
  quietly(exit);
  const close = async () => {
    if (over.signal.aborted) return;
    await kill();
    for (const socket of Object.values(sockets)) socket?.destroy();
    await quietly(exit);
  };
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  return {
    stdin:
      sockets.stdin === undefined
        ? undefined
        : closingStdin(sockets.stdin, () =>
            nativeCall(context.channel, Tasks.closeIO, { ...ids, stdin: true }, background),
          ),
    stdout: sockets.stdout,
    stderr: sockets.stderr,
    async resize({ width, height }) {
      if (!options.tty) return;
      if (over.signal.aborted) throw unavailable("the process has ended");
      await nativeCall(context.channel, Tasks.resizePty, { ...ids, width, height }, background);
    },
    exit,
    close,
  };
}

/** Resolves when the streams have ended, or have been silent for too long although their reader keeps up. */
async function drained(clock: Clock, streams: readonly (Socket | undefined)[]): Promise<void> {
  const never = new AbortController();
  const all = Promise.all(streams.map(finished)).then(() => true);
  let seen = -1;
  for (;;) {
    const done = await Promise.race([all, clock.sleep(silenceMs, never.signal).then(() => false)]);
    const bytes = streams.reduce((sum, stream) => sum + (stream?.bytesRead ?? 0), 0);
    const unread = streams.some((stream) => stream !== undefined && !ended(stream) && stream.readableLength > 0);
    if (done || (bytes === seen && !unread)) break;
    seen = bytes;
  }
  never.abort();
}
