import type { Readable } from "node:stream";
import { describeError } from "@skiff/base";
import type { ProcessStreams } from "@skiff/runtime";
import type { WebSocket } from "ws";
import {
  type ChannelProtocol,
  channels,
  decodeFrame,
  encodeFrame,
  exitStatus,
  exitText,
  failureStatus,
  terminalSize,
} from "./exec-channels.ts";
import { messageBytes, sendMessage } from "./web-socket-messages.ts";

/** Messages that may wait for a process that is not up yet. */
const pendingLimit = 1024;

/**
 * Carries a process' streams over a WebSocket until the process has ended or the client has gone. Listens from the first
 * moment on: clients send before the process is up. `open` starts (or attaches to) the process.
 */
export async function serveChannels(
  socket: WebSocket,
  protocol: ChannelProtocol,
  open: (signal: AbortSignal) => Promise<ProcessStreams>,
): Promise<void> {
  const gone = new AbortController();
  const pending: Buffer[] = [];
  let streams: ProcessStreams | undefined;
  const receive = (message: Buffer) => {
    if (streams !== undefined) deliver(socket, protocol, streams, message);
    else if (pending.length < pendingLimit) pending.push(message);
    else socket.close(1009, "too much input before the process was up");
  };
  socket.on("message", (data) => receive(messageBytes(data)));
  socket.on("close", () => gone.abort());
  socket.on("error", () => gone.abort());
  try {
    streams = await open(gone.signal);
  } catch (error) {
    return finish(socket, protocol, { kind: "failed", message: describeError(error) });
  }
  const running = streams;
  const closeOnGone = () => {
    running.close().catch(() => {});
  };
  gone.signal.addEventListener("abort", closeOnGone, { once: true });
  if (gone.signal.aborted) return closeOnGone();
  // Tells the client that all is set up.
  await sendMessage(
    socket,
    encodeFrame(protocol, running.stdout === undefined ? channels.error : channels.stdout, Buffer.alloc(0)),
  );
  for (const message of pending.splice(0)) receive(message);
  try {
    const outputs = Promise.all([
      forward(socket, protocol, { channel: channels.stdout, from: running.stdout }),
      forward(socket, protocol, { channel: channels.stderr, from: running.stderr }),
    ]);
    // They break off before the exit is known where the client goes.
    outputs.catch(() => {});
    const exitCode = await running.exit;
    await outputs;
    await finish(socket, protocol, { kind: "exited", exitCode });
  } catch (error) {
    await finish(socket, protocol, { kind: "failed", message: describeError(error) });
  } finally {
    gone.signal.removeEventListener("abort", closeOnGone);
  }
}

function deliver(socket: WebSocket, protocol: ChannelProtocol, streams: ProcessStreams, message: Buffer): void {
  const frame = decodeFrame(protocol, message);
  if (frame === undefined) return;
  const { stdin } = streams;
  switch (frame.channel) {
    case channels.stdin:
      if (stdin === undefined || stdin.writableEnded || frame.data.length === 0) return;
      if (!stdin.write(frame.data)) {
        // The process reads slowly: the client is not read from meanwhile.
        socket.pause();
        stdin.once("drain", () => socket.resume());
        stdin.once("close", () => socket.resume());
      }
      return;
    case channels.resize: {
      const size = terminalSize(frame.data);
      if (size !== undefined) streams.resize(size).catch(() => {});
      return;
    }
    case channels.close:
      if (protocol.close && frame.data[0] === channels.stdin) stdin?.end();
      return;
  }
}

async function forward(
  socket: WebSocket,
  protocol: ChannelProtocol,
  { channel, from }: { readonly channel: number; readonly from: Readable | undefined },
): Promise<void> {
  if (from === undefined) return;
  for await (const chunk of from) await sendMessage(socket, encodeFrame(protocol, channel, Buffer.from(chunk)));
}

async function finish(
  socket: WebSocket,
  protocol: ChannelProtocol,
  end: { readonly kind: "exited"; readonly exitCode: number } | { readonly kind: "failed"; readonly message: string },
): Promise<void> {
  const status = end.kind === "exited" ? exitStatus(end.exitCode) : failureStatus(end.message);
  if (protocol.status)
    await sendMessage(socket, encodeFrame(protocol, channels.error, Buffer.from(JSON.stringify(status))));
  else if (end.kind === "failed" || end.exitCode !== 0) {
    const text = end.kind === "failed" ? end.message : exitText(end.exitCode);
    await sendMessage(socket, encodeFrame(protocol, channels.error, Buffer.from(text)));
  }
  socket.close(1000);
}
