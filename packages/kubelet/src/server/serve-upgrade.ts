import type { IncomingMessage } from "node:http";
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { describeError } from "@skiff/base";
import type { ProcessStreams, StreamingRequest, StreamOptions } from "@skiff/runtime";
import { type WebSocket, WebSocketServer } from "ws";
import { type ChannelProtocol, choosePortProtocol, chooseProtocol, streamOptions } from "./exec-channels.ts";
import { serveTunnel, tunnelProtocol } from "./port-forward.ts";
import { passThrough } from "./runtime-socket.ts";
import { serveChannels } from "./serve-channels.ts";
import { type PortTarget, portsOf, servePortChannels } from "./serve-port-channels.ts";
import { findPod, RequestFailure, readySandbox, runningContainer, type ServerContext } from "./target.ts";

const maxPayloadBytes = 16 * 1024 * 1024;

/** A request to become a stream, taken apart. */
interface Upgrade {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
}

/** Answers an upgrade with a plain HTTP failure. */
export function refuseUpgrade(socket: Duplex, code: number, message: string): void {
  const body = `${message}\n`;
  socket.end(
    `HTTP/1.1 ${code} ${code === 400 ? "Bad Request" : "Error"}\r\nContent-Type: text/plain\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}

/** What is asked of the runtime, by path: `/exec|attach/NS/POD/CONTAINER` or `/portForward/NS/POD`. */
function streamingRequest(context: ServerContext, url: URL): StreamingRequest {
  const [, verb = "", namespace = "", podName = "", container = ""] = url.pathname.split("/").map(decodeURIComponent);
  const pod = findPod(context, namespace, podName);
  if (verb === "portForward") return { kind: "portForward", sandboxId: readySandbox(context, pod).id };
  const { id } = runningContainer(context, pod, container);
  const options = streamOptions(url.searchParams);
  if (!options.stdin && !options.stdout && !options.stderr)
    throw new RequestFailure(400, "you must specify at least 1 of stdin, stdout, stderr");
  if (verb === "attach") return { kind: "attach", containerId: id, ...options };
  if (verb !== "exec") throw new RequestFailure(404, `there is no ${url.pathname}`);
  const command = url.searchParams.getAll("command");
  if (command.length === 0) throw new RequestFailure(400, "you must specify at least 1 command for exec");
  return { kind: "exec", containerId: id, command, ...options };
}

/** containerd's shim starts no process of which only one output is wanted: both are taken, the other is thrown away. */
const withOutputs = (asked: StreamOptions): StreamOptions => ({ ...asked, stdout: true, stderr: !asked.tty });

function onlyAsked(asked: StreamOptions, streams: ProcessStreams): ProcessStreams {
  if (!asked.stdout) streams.stdout?.resume();
  if (!asked.stderr) streams.stderr?.resume();
  return {
    stdin: streams.stdin,
    stdout: asked.stdout ? streams.stdout : undefined,
    stderr: asked.stderr ? streams.stderr : undefined,
    exit: streams.exit,
    resize: (size) => streams.resize(size),
    close: () => streams.close(),
  };
}

/** Serves exec, attach and port-forward over SPDY (passed through) or WebSocket (ended here). */
export class UpgradeServer {
  readonly #context: ServerContext;
  readonly #sockets: WebSocketServer;
  /** The subprotocol of a request that becomes a WebSocket, which the library asks for later. */
  readonly #agreed = new WeakMap<IncomingMessage, string>();

  constructor(context: ServerContext) {
    this.#context = context;
    this.#sockets = new WebSocketServer({
      noServer: true,
      maxPayload: maxPayloadBytes,
      handleProtocols: (_offered, request) => this.#agreed.get(request) ?? false,
    });
    this.#sockets.on("headers", (headers, request) => {
      if (request.headers["x-skiff-tunnel"] !== undefined) headers.push(`Sec-WebSocket-Protocol: ${tunnelProtocol}`);
    });
  }

  async serve(upgrade: Upgrade, signal: AbortSignal): Promise<void> {
    const { request, socket } = upgrade;
    socket.on("error", () => socket.destroy());
    try {
      const asked = streamingRequest(this.#context, new URL(request.url ?? "/", "https://node"));
      const kind = (request.headers.upgrade ?? "").toLowerCase();
      if (kind === "spdy/3.1") {
        await passThrough(await this.#runtimeUrl(asked, signal), upgrade, signal);
        this.#limitIdling(socket);
      } else if (kind === "websocket") await this.#webSocket(upgrade, asked, signal);
      else throw new RequestFailure(400, "unable to upgrade: missing upgrade headers in request");
    } catch (error) {
      if (!socket.destroyed)
        refuseUpgrade(socket, error instanceof RequestFailure ? error.code : 500, describeError(error));
    }
  }

  async #runtimeUrl(asked: StreamingRequest, signal: AbortSignal): Promise<URL> {
    const url = await this.#context.parts.runtime.streamingUrl(asked, signal);
    if (url === undefined)
      throw new RequestFailure(
        501,
        `this node's runtime (${this.#context.parts.runtimeName}) cannot stream ${asked.kind}`,
      );
    return url;
  }

  /** Closes a connection over which nothing has gone for long, either way. */
  #limitIdling(socket: Duplex): void {
    const { streamingConnectionIdleTimeoutMs } = this.#context.parts.configuration;
    if (socket instanceof Socket) socket.setTimeout(streamingConnectionIdleTimeoutMs, () => socket.destroy());
  }

  #accept(upgrade: Upgrade, protocol: ChannelProtocol | undefined, serve: (socket: WebSocket) => Promise<void>): void {
    const { request, socket, head } = upgrade;
    if (protocol !== undefined) this.#agreed.set(request, protocol.name);
    this.#sockets.handleUpgrade(request, socket, head, (webSocket) => {
      // The library takes limits of others off.
      this.#limitIdling(socket);
      serve(webSocket).catch(() => webSocket.terminate());
    });
  }

  #tunnel(upgrade: Upgrade, asked: StreamingRequest, signal: AbortSignal): void {
    const { headers } = upgrade.request;
    // The library takes no subprotocol with a slash: it is hidden from it, and put into the answer by hand.
    delete headers["sec-websocket-protocol"];
    headers["x-skiff-tunnel"] = "1";
    const url = this.#runtimeUrl(asked, signal);
    url.catch(() => {});
    this.#accept(upgrade, undefined, (webSocket) => serveTunnel(webSocket, () => url));
  }

  async #webSocket(upgrade: Upgrade, asked: StreamingRequest, signal: AbortSignal): Promise<void> {
    const { request } = upgrade;
    const header = request.headers["sec-websocket-protocol"] ?? "";
    const offered = header
      .split(",")
      .map((one) => one.trim())
      .filter((one) => one !== "");
    if (offered.includes(tunnelProtocol) && asked.kind === "portForward") return this.#tunnel(upgrade, asked, signal);
    const protocol = asked.kind === "portForward" ? choosePortProtocol(offered) : chooseProtocol(offered);
    if (protocol === undefined) throw new RequestFailure(400, `unable to upgrade: no common subprotocol in ${offered}`);
    if (asked.kind === "portForward") {
      const url = new URL(request.url ?? "/", "https://node");
      const ports = portsOf(url.searchParams);
      const target = this.#portTarget(asked.sandboxId, url, signal);
      return this.#accept(upgrade, protocol, (webSocket) => servePortChannels(webSocket, { protocol, ports, target }));
    }
    const open = async (gone: AbortSignal): Promise<ProcessStreams> => {
      const { runtime } = this.#context.parts;
      const both = AbortSignal.any([gone, signal]);
      if (asked.kind === "attach") return await runtime.attach(asked.containerId, asked, both);
      return onlyAsked(asked, await runtime.exec(asked.containerId, asked.command, withOutputs(asked), both));
    };
    this.#accept(upgrade, protocol, (webSocket) => serveChannels(webSocket, protocol, open));
  }

  #portTarget(sandboxId: string, url: URL, signal: AbortSignal): PortTarget {
    const [, , namespace = "", name = ""] = url.pathname.split("/").map(decodeURIComponent);
    const { runtime } = this.#context.parts;
    return {
      pod: name,
      uid: findPod(this.#context, namespace, name).metadata.uid,
      open: (port, gone) => runtime.portForward(sandboxId, port, AbortSignal.any([gone, signal])),
    };
  }
}
