import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { type IncomingMessage, ServerResponse } from "node:http";
import { performServerHandshake, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import { createServer, type Server } from "node:https";
import { Server as NetServer, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { SecureContextOptions, TLSSocket } from "node:tls";
import { type Clock, describeError, type Logger, present, type Random, systemClock } from "@skiff/base";
import type { BaseExchange, ConnectionContext } from "../exchange/base-exchange.ts";
import { shownCertificate } from "../exchange/client-certificate.ts";
import { Http1Exchange } from "../exchange/http1-exchange.ts";
import { Http2Exchange } from "../exchange/http2-exchange.ts";
import { refuseText } from "./refuse-text.ts";

/** What a client must do within these times, or the connection is closed. */
const handshakeTimeoutMs = 20_000;
const headersTimeoutMs = 20_000;
const requestTimeoutMs = 120_000;
/** Go's clients keep idle connections for 90 s: they give up first, and none is closed under a request. */
const keepAliveTimeoutMs = 120_000;
const checkIntervalMs = 5_000;
/** As much as Go's servers read. */
const maxHeaderBytes = 1024 * 1024;
/** Requests in flight may take so long to finish when the server stops; then so long what was written may take to leave. */
const drainMs = 5_000;
const flushMs = 1_000;
/** Clients that keep a connection and are silent may be about to use it: for so many steps they may still do so. */
const lingerStepMs = 20;
const lingerSteps = 10;

const http2Options = {
  settings: { maxConcurrentStreams: 1000, initialWindowSize: 1024 * 1024, maxHeaderListSize: maxHeaderBytes },
  // One for each group that a client impersonates, for example.
  maxHeaderListPairs: 4096,
  // Megabytes that a session may use: lists are long, and one client may have hundreds of streams.
  maxSessionMemory: 1024,
};

/** Where to listen, and with what certificate. */
export interface ListenOptions {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  /** `key` and `cert` of the server, `ca` of its clients. */
  readonly tls: Pick<SecureContextOptions, "key" | "cert" | "ca" | "minVersion">;
  /** PEM: whose certificates stand for proxies that say in headers whom they ask for. */
  readonly frontProxyAuthority?: string;
  /**
   * From 0 (never, as where absent) to 1: how often a request over HTTP/2 makes its client open another connection, so that
   * clients spread over several servers.
   */
  readonly goAwayChance?: number;
}

/** What the listener gives its requests to. */
export interface ListenerOptions extends ListenOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  serve(exchange: BaseExchange): Promise<void>;
  readonly random: Random;
}

/** HTTP/1.1 and HTTP/2 over TLS on one port. Disposing of it lets requests finish, ends watches and closes everything. */
export class Listener implements AsyncDisposable {
  readonly #options: ListenerOptions;
  readonly #server: Server;
  readonly #frontProxyAuthority: X509Certificate | undefined;
  readonly #shown = new WeakMap<Duplex, ConnectionContext>();
  /** What the last request of a connection was answered with, or will be. */
  readonly #answers = new WeakMap<Duplex, ServerResponse>();
  readonly #exchanges = new Set<BaseExchange>();
  readonly #sessions = new Set<ServerHttp2Session>();
  readonly #sockets = new Set<TLSSocket>();
  /** All that were accepted, in the middle of their handshake too. */
  readonly #connections = new Set<Socket>();
  /** Called whenever a request has ended. */
  #ended: (() => void) | undefined;
  #closing: Promise<void> | undefined;
  readonly #draining = () => this.#closing !== undefined;

  private constructor(options: ListenerOptions) {
    this.#options = options;
    const { frontProxyAuthority: proxies } = options;
    this.#frontProxyAuthority = proxies === undefined ? undefined : new X509Certificate(proxies);
    this.#server = createServer({
      ...withAuthority(options.tls, proxies),
      minVersion: options.tls.minVersion ?? "TLSv1.2",
      requestCert: true,
      // Who is not known is not refused here, but answered with 401 or as an anonymous user.
      rejectUnauthorized: false,
      ALPNProtocols: ["h2", "http/1.1"],
      handshakeTimeout: handshakeTimeoutMs,
      headersTimeout: headersTimeoutMs,
      maxHeaderSize: maxHeaderBytes,
      requestTimeout: requestTimeoutMs,
      connectionsCheckingInterval: checkIntervalMs,
      keepAliveTimeout: keepAliveTimeoutMs,
      noDelay: true,
    });
    this.#attach();
  }

  /** Listens. Rejects with the system's error (`EADDRINUSE`, …) when that cannot be. */
  static async open(options: ListenerOptions): Promise<Listener> {
    const listener = new Listener(options);
    listener.#server.listen({ port: options.port, host: options.host, backlog: 1024 });
    await once(listener.#server, "listening");
    return listener;
  }

  /** The port that is listened on. */
  get port(): number {
    const address = this.#server.address();
    return typeof address === "object" && address !== null ? address.port : this.#options.port;
  }

  /** Shows another certificate from now on (it was renewed). */
  renewCertificate(tls: ListenOptions["tls"]): void {
    this.#server.setSecureContext(withAuthority(tls, this.#options.frontProxyAuthority));
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  #attach(): void {
    const server = this.#server;
    // The server's own listener speaks HTTP/1.1; connections that agreed on HTTP/2 must not reach it.
    const [speakHttp1] = server.listeners("secureConnection");
    server.removeAllListeners("secureConnection");
    server.on("connection", (connection: Socket) => {
      this.#connections.add(connection);
      connection.on("close", () => this.#connections.delete(connection));
    });
    server.on("secureConnection", (socket: TLSSocket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
      socket.on("error", () => {});
      socket.setKeepAlive(true, 60_000);
      if (socket.alpnProtocol === "h2") this.#speakHttp2(socket);
      else present(speakHttp1, "the HTTP/1.1 listener").call(server, socket);
    });
    server.on("tlsClientError", (error) => this.#options.logger.debug(`a handshake failed: ${describeError(error)}`));
    server.on("request", (request: IncomingMessage, response: ServerResponse) => {
      this.#answers.set(request.socket, response);
      this.#take(new Http1Exchange(request, response, { context: this.#contextOf(request.socket) }));
    });
    server.on("clientError", (error, socket) => refuseText(error, socket, this.#answers.get(socket)));
    server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      const response = new ServerResponse(request);
      response.assignSocket(request.socket);
      response.on("finish", () => socket.end());
      socket.on("error", () => {});
      const context = this.#contextOf(request.socket);
      this.#take(new Http1Exchange(request, response, { context, upgrade: { socket, head } }));
    });
  }

  #speakHttp2(socket: TLSSocket): void {
    const context = this.#contextOf(socket);
    const session = performServerHandshake(socket, http2Options);
    this.#sessions.add(session);
    session.on("close", () => this.#sessions.delete(session));
    session.on("error", (error: unknown) => {
      this.#options.logger.debug(`an HTTP/2 session failed: ${describeError(error)}`);
    });
    // Its handshake took until now: nobody would end the session, and the client is to ask elsewhere.
    if (this.#draining()) {
      session.close();
      return;
    }
    const { goAwayChance = 0, random } = this.#options;
    session.on("stream", (stream: ServerHttp2Stream, headers, _flags, raw: string[]) => {
      const exchange = new Http2Exchange(stream, { headers, raw }, context);
      this.#take(exchange);
      // What is under way goes on; the client opens another connection for what follows.
      if (goAwayChance > 0 && !exchange.isLongRunning && random.next() < goAwayChance) session.close();
    });
  }

  #contextOf(socket: Duplex): ConnectionContext {
    const known = this.#shown.get(socket);
    if (known !== undefined) return known;
    const tls = isTls(socket);
    const made: ConnectionContext = {
      clock: this.#options.clock,
      remoteAddress: tls?.remoteAddress ?? "",
      draining: this.#draining,
      shown:
        tls === undefined
          ? { certificate: undefined, rejected: false }
          : shownCertificate(tls, this.#frontProxyAuthority),
    };
    this.#shown.set(socket, made);
    return made;
  }

  #take(exchange: BaseExchange): void {
    this.#exchanges.add(exchange);
    exchange.onClosed = () => {
      this.#exchanges.delete(exchange);
      this.#ended?.();
    };
    this.#options
      .serve(exchange)
      .catch((error: unknown) => this.#options.logger.error(`serving failed: ${describeError(error)}`, { error }));
  }

  async #close(): Promise<void> {
    const closed = once(this.#server, "close");
    // No new connections; those that are there are told to end with their next answer, and are given the time to ask.
    NetServer.prototype.close.call(this.#server);
    for (const session of this.#sessions) session.close();
    for (const exchange of this.#exchanges) if (exchange.isLongRunning) exchange.stop();
    await this.#quiet();
    await this.#until(() => [...this.#exchanges].every(({ isLongRunning }) => isLongRunning), drainMs);
    for (const exchange of this.#exchanges) exchange.stop();
    // What was written is on its way still: the connections end when it has left, or when that takes too long. Those that
    // are silent, or whose clients do not read, end then too.
    using _limit = systemClock.after(flushMs, () => {
      for (const connection of this.#connections) connection.destroy();
    });
    await this.#until(() => this.#exchanges.size === 0, flushMs);
    this.#server.closeIdleConnections();
    for (const session of this.#sessions) session.destroy();
    for (const socket of this.#sockets) socket.destroySoon();
    await closed;
    // Nobody can be answered any more, although not all have heard of that yet.
    for (const exchange of this.#exchanges) exchange.closed();
  }

  /** Waits until the clients have left, or for a while. */
  async #quiet(): Promise<void> {
    // Clients live in real time, whatever time the cluster keeps. Steps are counted, not time: where the machine is busy, what
    // clients have sent is read in the next of them.
    const { signal } = new AbortController();
    for (let step = 0; step < lingerSteps && this.#connections.size > 0; step++) {
      await systemClock.sleep(lingerStepMs, signal);
    }
  }

  /** Waits until the requests are as `settled` says, `ms` at most. */
  async #until(settled: () => boolean, ms: number): Promise<void> {
    if (settled()) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#ended = () => {
      if (settled()) resolve();
    };
    using _limit = systemClock.after(ms, resolve);
    await promise;
  }
}

/** The handshake verifies certificates of either authority. */
function withAuthority(tls: ListenOptions["tls"], more: string | undefined): ListenOptions["tls"] {
  if (more === undefined) return tls;
  const { ca } = tls;
  return { ...tls, ca: [...(ca === undefined ? [] : Array.isArray(ca) ? ca : [ca]), more] };
}

const isTls = (socket: Duplex): TLSSocket | undefined => {
  const hasCertificate = (candidate: Duplex): candidate is TLSSocket => "getPeerCertificate" in candidate;
  return hasCertificate(socket) ? socket : undefined;
};
