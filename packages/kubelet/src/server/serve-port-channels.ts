import type { Duplex } from "node:stream";
import { describeError } from "@skiff/base";
import type { WebSocket } from "ws";
import { type ChannelProtocol, decodeFrame, encodeFrame } from "./exec-channels.ts";
import { RequestFailure } from "./target.ts";
import { messageBytes, sendMessage } from "./web-socket-messages.ts";

/** Channels are numbered by one byte, and each port has two. */
const portLimit = 127;

/**
 * The ports that a WebSocket without SPDY inside names beforehand: `port=80&port=81`, or `port=80,81`.
 * Throws `RequestFailure` where there are none.
 */
export function portsOf(query: URLSearchParams): readonly number[] {
  const texts = query.getAll("port");
  if (texts.length === 0) throw new RequestFailure(400, 'query parameter "port" is required');
  const ports = texts.flatMap((text) => {
    if (text === "") throw new RequestFailure(400, 'query parameter "port" cannot be empty');
    return text.split(",").map((one) => {
      const port = /^\d+$/.test(one) ? Number(one) : Number.NaN;
      if (!(port <= 65_535)) throw new RequestFailure(400, `unable to parse "${text}" as a port`);
      if (port < 1) throw new RequestFailure(400, `port "${text}" must be > 0`);
      return port;
    });
  });
  if (ports.length > portLimit) throw new RequestFailure(400, `no more than ${portLimit} ports at a time`);
  return ports;
}

/** How ports are reached, and what this is about in the words of a failure. */
export interface PortTarget {
  readonly pod: string;
  readonly uid: string;
  open(port: number, signal: AbortSignal): Promise<Duplex>;
}

/**
 * Carries connections to a pod's ports over a WebSocket, two channels for each port: one for its bytes, one for what went
 * wrong. The first message on either is the port's number, two bytes, the low one first. Ends when all connections have.
 */
export async function servePortChannels(
  socket: WebSocket,
  {
    protocol,
    ports,
    target,
  }: { readonly protocol: ChannelProtocol; readonly ports: readonly number[]; readonly target: PortTarget },
): Promise<void> {
  const gone = new AbortController();
  socket.on("close", () => gone.abort());
  socket.on("error", () => gone.abort());
  const send = (channel: number, data: Buffer) => sendMessage(socket, encodeFrame(protocol, channel, data));
  const opening = ports.map((port) => {
    const opened = target.open(port, gone.signal);
    opened.catch(() => {});
    return opened;
  });
  // What comes for one port before its connection is there waits for it, and with it all that comes later.
  let turn = Promise.resolve();
  const deliver = async (message: Buffer): Promise<void> => {
    const frame = decodeFrame(protocol, message);
    const connection = frame !== undefined && frame.channel % 2 === 0 ? opening[frame.channel / 2] : undefined;
    if (frame === undefined || connection === undefined) return;
    const stream = await connection.catch(() => undefined);
    if (stream === undefined || stream.destroyed || stream.writableEnded || stream.write(frame.data)) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    for (const event of ["drain", "close"]) stream.once(event, () => resolve());
    await promise;
  };
  let waiting = 0;
  socket.on("message", (data) => {
    const message = messageBytes(data);
    waiting += 1;
    socket.pause();
    turn = turn
      .then(() => deliver(message))
      .finally(() => {
        waiting -= 1;
        if (waiting === 0) socket.resume();
      });
  });
  await Promise.all(
    ports.map(async (port, index) => {
      const number = Buffer.alloc(2);
      number.writeUInt16LE(port);
      await Promise.all([send(index * 2, number), send(index * 2 + 1, number)]);
      try {
        const connection = await opening[index];
        if (connection !== undefined) for await (const chunk of connection) await send(index * 2, Buffer.from(chunk));
      } catch (error) {
        const about = `error forwarding port ${port} to pod ${target.pod}, uid ${target.uid}`;
        await send(index * 2 + 1, Buffer.from(`${about}: ${describeError(error)}`));
      }
    }),
  );
  socket.close(1000);
}
