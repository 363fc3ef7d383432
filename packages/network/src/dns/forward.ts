import { createSocket } from "node:dgram";
import { connect } from "node:net";
import type { Clock } from "@skiff/base";

const upstreamMs = 2_000;

/** Asks the node's own resolvers, one after the other. `undefined` when none answers. */
export interface Upstream {
  ask(message: Buffer, transport: "udp" | "tcp"): Promise<Buffer | undefined>;
}

/** The resolvers of a resolv.conf, but for those that would lead back here. */
export function upstreamServers(resolvConf: string, own: readonly string[]): readonly string[] {
  return resolvConf
    .split("\n")
    .map((line) => /^\s*nameserver\s+(\S+)/.exec(line)?.[1])
    .filter((server): server is string => server !== undefined && !own.includes(server));
}

/** Forwards to `servers`, each given two seconds. */
export function createUpstream(servers: readonly string[], clock: Clock, port = 53): Upstream {
  return {
    async ask(message, transport) {
      for (const server of servers) {
        const answer = await (transport === "udp" ? askDatagram : askConnection)(server, port, message, clock);
        if (answer !== undefined) return answer;
      }
      return undefined;
    },
  };
}

function askDatagram(server: string, port: number, message: Buffer, clock: Clock): Promise<Buffer | undefined> {
  const socket = createSocket(server.includes(":") ? "udp6" : "udp4");
  const { promise, resolve } = Promise.withResolvers<Buffer | undefined>();
  const timer = clock.after(upstreamMs, () => resolve(undefined));
  socket.on("message", (answer) => {
    // Whoever answers must know the question's number.
    if (answer.length >= 12 && answer.readUInt16BE(0) === message.readUInt16BE(0)) resolve(answer);
  });
  socket.on("error", () => resolve(undefined));
  socket.connect(port, server, () => socket.send(message, (error) => error && resolve(undefined)));
  return promise.finally(() => {
    timer.cancel();
    socket.close();
  });
}

function askConnection(server: string, port: number, message: Buffer, clock: Clock): Promise<Buffer | undefined> {
  const socket = connect(port, server);
  const { promise, resolve } = Promise.withResolvers<Buffer | undefined>();
  const timer = clock.after(upstreamMs, () => resolve(undefined));
  let received = Buffer.alloc(0);
  socket.on("connect", () => socket.write(framed(message)));
  socket.on("data", (chunk) => {
    received = Buffer.concat([received, chunk]);
    if (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
      resolve(received.subarray(2, 2 + received.readUInt16BE(0)));
    }
  });
  socket.on("error", () => resolve(undefined));
  socket.on("close", () => resolve(undefined));
  return promise.finally(() => {
    timer.cancel();
    socket.destroy();
  });
}

/** Over a connection each message is preceded by its length. */
export function framed(message: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}
