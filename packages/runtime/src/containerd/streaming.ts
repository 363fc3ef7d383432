import { Duplex } from "node:stream";
import type { Clock } from "@skiff/base";
import { type ProcessStreams, RuntimeError, type StreamOptions } from "../runtime.ts";
import { SpdySession, type SpdyStream } from "./spdy.ts";

const remoteCommandProtocol = "v4.channel.k8s.io";
const portForwardProtocol = "portforward.k8s.io";

async function textOf(stream: SpdyStream): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString();
}

/**
 * Attaches to a container's own process through the streaming server. `exitCode` is what that process ends with; when
 * the connection ends before it, the exit is 0.
 */
export async function attachStreams(
  url: URL,
  options: StreamOptions,
  exitCode: Promise<number>,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<ProcessStreams> {
  const session = await SpdySession.connect(url, remoteCommandProtocol, signal);
  const open = (streamtype: string, wanted: boolean) => (wanted ? session.open({ streamtype }) : undefined);
  const failure = session.open({ streamtype: "error" });
  failure.end();
  failure.resume();
  const stdin = open("stdin", options.stdin);
  const stdout = open("stdout", options.stdout);
  const stderr = open("stderr", options.stderr && !options.tty);
  const resize = open("resize", options.tty);
  resize?.resume();
  stdin?.resume();
  for (const stream of [stdout, stderr]) stream?.end();
  await session.accepted();
  const close = () => session[Symbol.dispose]();
  signal.addEventListener("abort", close, { once: true });
  if (signal.aborted) close();
  const settle = async (): Promise<number> => {
    await session.closed;
    signal.removeEventListener("abort", close);
    // The exit is known a moment later than the streams end, or never: then it was a detach.
    return Promise.race([exitCode.catch(() => 0), clock.sleep(500, new AbortController().signal).then(() => 0)]);
  };
  // The server ends the session only when each stream is done on both sides.
  if (failure.readableEnded) close();
  else failure.once("end", close);
  return {
    stdin,
    stdout,
    stderr,
    async resize({ width, height }) {
      resize?.write(JSON.stringify({ Width: width, Height: height }));
    },
    exit: settle(),
    async close() {
      close();
    },
  };
}

/** A connection to a port in a pod. What keeps it from being made destroys it with a `RuntimeError`. */
export async function forwardPort(url: URL, port: number, signal: AbortSignal): Promise<Duplex> {
  const session = await SpdySession.connect(url, portForwardProtocol, signal);
  const about = { port: String(port), requestid: "0" };
  const failure = session.open({ streamtype: "error", ...about });
  failure.end();
  const data = session.open({ streamtype: "data", ...about });
  const refusal = textOf(failure);
  // Nobody waits for the reason when the caller lets go first.
  refusal.catch(() => {});
  await session.accepted();
  const connection = Duplex.from({
    // The reason for a connection's end comes on the other stream, maybe later.
    readable: (async function* () {
      yield* data;
      const message = await refusal;
      if (message !== "") throw new RuntimeError("UNAVAILABLE", message);
    })(),
    writable: data,
  });
  const close = () => session[Symbol.dispose]();
  signal.addEventListener("abort", close, { once: true });
  if (signal.aborted) close();
  connection.once("close", () => {
    signal.removeEventListener("abort", close);
    close();
  });
  return connection;
}
