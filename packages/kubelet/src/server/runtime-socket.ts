import type { IncomingMessage } from "node:http";
import { connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { RequestFailure } from "./target.ts";

const headLimitBytes = 64 * 1024;

async function connectTo(url: URL, signal: AbortSignal): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const socket = connect({ host: url.hostname, port: Number(url.port), noDelay: true, signal });
  socket.once("connect", () => resolve(socket));
  socket.once("error", reject);
  return await promise;
}

/** Headers of the client's that only concern its connection to this server. */
const ownHeaders: ReadonlySet<string> = new Set(["host", "authorization", "content-length", "transfer-encoding"]);

/** Hands a client's upgraded connection over to the runtime's streaming server as it is, byte for byte. */
export async function passThrough(
  url: URL,
  client: { readonly request: IncomingMessage; readonly socket: Duplex; readonly head: Buffer },
  signal: AbortSignal,
): Promise<void> {
  const runtime = await connectTo(url, signal);
  const { request, socket, head } = client;
  const lines = [`${request.method ?? "POST"} ${url.pathname}${url.search} HTTP/1.1`, `Host: ${url.host}`];
  for (let at = 0; at + 1 < request.rawHeaders.length; at += 2) {
    const name = request.rawHeaders[at] ?? "";
    if (!ownHeaders.has(name.toLowerCase())) lines.push(`${name}: ${request.rawHeaders[at + 1]}`);
  }
  runtime.write(`${lines.join("\r\n")}\r\n\r\n`);
  if (head.length > 0) runtime.write(head);
  const end = () => {
    runtime.destroy();
    socket.destroy();
  };
  runtime.on("error", end);
  socket.on("error", end);
  runtime.on("close", end);
  socket.on("close", end);
  runtime.pipe(socket);
  socket.pipe(runtime);
}

/** Opens a SPDY connection to the runtime's streaming server; gives it after the upgrade, with what came behind it. */
export async function openSpdy(
  url: URL,
  protocol: string,
  signal: AbortSignal,
): Promise<{ readonly socket: Socket; readonly rest: Buffer }> {
  const socket = await connectTo(url, signal);
  const head = [
    `POST ${url.pathname}${url.search} HTTP/1.1`,
    `Host: ${url.host}`,
    "Connection: Upgrade",
    "Upgrade: SPDY/3.1",
    `X-Stream-Protocol-Version: ${protocol}`,
    "Content-Length: 0",
  ];
  socket.write(`${head.join("\r\n")}\r\n\r\n`);
  const { promise, resolve, reject } = Promise.withResolvers<{ socket: Socket; rest: Buffer }>();
  let received: Buffer = Buffer.alloc(0);
  const onData = (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    const end = received.indexOf("\r\n\r\n");
    if (end === -1 && received.length < headLimitBytes) return;
    socket.off("data", onData);
    socket.pause();
    const [statusLine = ""] = received.toString("latin1", 0, Math.max(0, end)).split("\r\n");
    if (statusLine.includes(" 101 ")) resolve({ socket, rest: received.subarray(end + 4) });
    else {
      socket.destroy();
      reject(new RequestFailure(500, `the runtime refused to stream: ${statusLine}`));
    }
  };
  socket.on("data", onData);
  socket.once("close", () => reject(new RequestFailure(500, "the runtime closed the connection")));
  return await promise;
}
