/**
 * gRPC on Node's own HTTP/2. Only what containerd and etcd need: unary calls, server streams and streams in both
 * directions. A connection is made when the first call needs it, and anew after it broke.
 */
import * as http2 from "node:http2";
import { connect, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { type Clock, Mailbox, type Timer } from "@skiff/base";
import type { Init, Method } from "./codec.ts";

export interface CallOptions {
  readonly signal: AbortSignal;
  /** The server gives up after this time, and so does the call: `DEADLINE_EXCEEDED`. Absent: no limit. */
  readonly deadlineMs?: number;
  readonly metadata?: Readonly<Record<string, string>>;
}

/** A call in both directions, in turns or not. */
export interface Duplex<Request, Response> extends Disposable {
  /** Resolves when the connection has taken it. */
  send(message: Init<Request>): Promise<void>;
  /** The next answer; throws what the call ended with, `UNAVAILABLE` where it just ended. */
  receive(): Promise<Response>;
  /** No more requests. */
  end(): void;
}

const streamLimit = 65_536;

/** gRPC's statuses, without the one that says that all went well. */
export type GrpcCode =
  | "CANCELLED"
  | "UNKNOWN"
  | "INVALID_ARGUMENT"
  | "DEADLINE_EXCEEDED"
  | "NOT_FOUND"
  | "ALREADY_EXISTS"
  | "PERMISSION_DENIED"
  | "RESOURCE_EXHAUSTED"
  | "FAILED_PRECONDITION"
  | "ABORTED"
  | "OUT_OF_RANGE"
  | "UNIMPLEMENTED"
  | "INTERNAL"
  | "UNAVAILABLE"
  | "DATA_LOSS"
  | "UNAUTHENTICATED";

/** By their numbers, from 1 on. */
export const codes: readonly GrpcCode[] = [
  "CANCELLED",
  "UNKNOWN",
  "INVALID_ARGUMENT",
  "DEADLINE_EXCEEDED",
  "NOT_FOUND",
  "ALREADY_EXISTS",
  "PERMISSION_DENIED",
  "RESOURCE_EXHAUSTED",
  "FAILED_PRECONDITION",
  "ABORTED",
  "OUT_OF_RANGE",
  "UNIMPLEMENTED",
  "INTERNAL",
  "UNAVAILABLE",
  "DATA_LOSS",
  "UNAUTHENTICATED",
];

/** Where the other side is: PEM texts where it is reached over TLS. */
export type GrpcEndpoint =
  | { readonly kind: "unix"; readonly path: string }
  | {
      readonly kind: "tcp";
      readonly host: string;
      readonly port: number;
      readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string };
    };

export interface ChannelOptions {
  readonly endpoint: GrpcEndpoint;
  readonly clock: Clock;
  /** What the other side is called in messages: "the runtime". */
  readonly peer: string;
  /** A connection on which a ping is not answered for so long is given up; where absent, none is sent. */
  readonly keepAliveMs?: number;
  /** Makes the errors that calls end with. */
  readonly error: (code: GrpcCode, message: string, cause?: unknown) => Error;
}

export class GrpcChannel implements Disposable {
  readonly #options: ChannelOptions;
  #session: http2.ClientHttp2Session | undefined;
  #closed = false;

  constructor(options: ChannelOptions) {
    this.#options = options;
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    this.#session?.destroy();
  }

  async call<Request, Response>(
    method: Method<Request, Response>,
    request: Init<Request>,
    options: CallOptions,
  ): Promise<Response> {
    using stream = this.#open(method, options);
    stream.write(frame(method.request.encode(request)));
    stream.end();
    const answer = await stream.next();
    if (answer === undefined) throw this.#unavailable("gave no answer");
    // The trailers come after the message and may still say that the call failed.
    await stream.next();
    return method.response.decode(answer);
  }

  /** The answers of a call that streams them. Ends or throws as the server says; letting go of the iteration cancels it. */
  async *stream<Request, Response>(
    method: Method<Request, Response>,
    request: Init<Request>,
    options: CallOptions & { readonly onOpen?: () => void },
  ): AsyncGenerator<Response> {
    using stream = this.#open(method, options);
    if (options.onOpen !== undefined) stream.http.once("response", options.onOpen);
    stream.write(frame(method.request.encode(request)));
    stream.end();
    for (let answer = await stream.next(); answer !== undefined; answer = await stream.next()) {
      yield method.response.decode(answer);
    }
  }

  duplex<Request, Response>(method: Method<Request, Response>, options: CallOptions): Duplex<Request, Response> {
    const stream = this.#open(method, options);
    return {
      send: (message) => stream.writeAll(frame(method.request.encode(message))),
      receive: async () => {
        const answer = await stream.next();
        if (answer === undefined) throw this.#unavailable("ended the call");
        return method.response.decode(answer);
      },
      end: () => stream.end(),
      [Symbol.dispose]: () => stream[Symbol.dispose](),
    };
  }

  #open<Request, Response>(method: Method<Request, Response>, options: CallOptions): CallStream {
    options.signal.throwIfAborted();
    if (this.#closed) throw this.#options.error("UNAVAILABLE", `the connection to ${this.#options.peer} is closed`);
    const timeout = options.deadlineMs === undefined ? {} : { "grpc-timeout": `${Math.ceil(options.deadlineMs)}m` };
    const stream = this.#connect().request({
      ":method": "POST",
      ":path": method.path,
      te: "trailers",
      "content-type": "application/grpc",
      ...timeout,
      ...options.metadata,
    });
    return new CallStream(stream, options, this.#options);
  }

  #unavailable(what: string): Error {
    return this.#options.error("UNAVAILABLE", `${this.#options.peer} ${what}`);
  }

  #connect(): http2.ClientHttp2Session {
    const held = this.#session;
    if (held !== undefined && !held.closed && !held.destroyed) return held;
    const { endpoint } = this.#options;
    const secure = endpoint.kind === "tcp" && endpoint.tls !== undefined;
    // containerd accepts only an authority that looks like a host's name.
    const authority = endpoint.kind === "unix" ? "localhost" : `${bracketed(endpoint.host)}:${endpoint.port}`;
    const session = http2.connect(`${secure ? "https" : "http"}://${authority}`, {
      createConnection: () => openSocket(endpoint),
      settings: { enablePush: false, initialWindowSize: 1024 * 1024 },
    });
    // Calls under way hear of it themselves.
    session.on("error", () => {});
    session.on("close", () => {
      if (this.#session === session) this.#session = undefined;
    });
    session.on("goaway", () => session.close());
    if (this.#options.keepAliveMs !== undefined) keepAlive(session, this.#options.clock, this.#options.keepAliveMs);
    this.#session = session;
    return session;
  }
}

function openSocket(endpoint: GrpcEndpoint): Socket {
  if (endpoint.kind === "unix") return connect(endpoint.path);
  const { host, port, tls } = endpoint;
  if (tls === undefined) return connect({ host, port, noDelay: true });
  const name = isIP(host) === 0 ? { servername: host } : {};
  const socket = connectTls({ ...tls, ...name, host, port, ALPNProtocols: ["h2"] });
  socket.setNoDelay(true);
  return socket;
}

/** Asks for a sign of life now and then; without one, the other side is gone without having said so. */
function keepAlive(session: http2.ClientHttp2Session, clock: Clock, intervalMs: number): void {
  let answered = true;
  let timer: Timer;
  const check = (): void => {
    if (session.destroyed) return;
    if (!answered) {
      session.destroy(new Error("no answer to a ping"));
      return;
    }
    answered = false;
    session.ping(() => {
      answered = true;
    });
    timer = clock.after(intervalMs, check);
  };
  timer = clock.after(intervalMs, check);
  session.on("close", () => timer.cancel());
}

const bracketed = (host: string): string => (host.includes(":") ? `[${host}]` : host);

/** A message as gRPC sends it: a byte for compression (none), four bytes of length, the message. */
function frame(message: Buffer): Buffer {
  const framed = Buffer.allocUnsafe(5 + message.length);
  framed[0] = 0;
  framed.writeUInt32BE(message.length, 1);
  message.copy(framed, 5);
  return framed;
}

/** One call's HTTP/2 stream: splits what comes into messages and turns its end into what gRPC says it was. */
class CallStream implements Disposable {
  readonly http: http2.ClientHttp2Stream;
  readonly #answers = new Mailbox<Buffer>(streamLimit);
  readonly #ready: Buffer[] = [];
  readonly #never = new AbortController().signal;
  readonly #options: CallOptions;
  readonly #channel: ChannelOptions;
  #parts: Buffer[] = [];
  #partsLength = 0;
  #finished = false;
  #timer: Timer | undefined;

  constructor(http: http2.ClientHttp2Stream, options: CallOptions, channel: ChannelOptions) {
    this.http = http;
    this.#options = options;
    this.#channel = channel;
    const { peer, clock } = channel;
    options.signal.addEventListener("abort", this.#onAbort, { once: true });
    http.on("response", (headers) => this.#status(headers));
    http.on("trailers", (headers) => this.#status(headers));
    http.on("data", (chunk: Buffer) => this.#take(chunk));
    http.on("error", (error) => this.#finish(this.#unavailable(`the connection to ${peer} failed`, error)));
    http.on("close", () => {
      // Each call's stream closes at last: an error with its stack is not made for nothing.
      if (!this.#finished) this.#finish(this.#unavailable(`the connection to ${peer} was closed`));
    });
    if (options.deadlineMs !== undefined) {
      // The server ends the call at the deadline; this is for one that does not answer at all.
      this.#timer = clock.after(options.deadlineMs + 500, () => {
        this.#finish(channel.error("DEADLINE_EXCEEDED", "context deadline exceeded"));
        http.close(http2.constants.NGHTTP2_CANCEL);
      });
    }
  }

  #unavailable(message: string, cause?: unknown): Error {
    return this.#channel.error("UNAVAILABLE", message, cause);
  }

  readonly #onAbort = (): void => {
    this.#finish(this.#options.signal.reason);
    this.http.close(http2.constants.NGHTTP2_CANCEL);
  };

  write(chunk: Buffer): void {
    if (!this.http.destroyed) this.http.write(chunk);
  }

  writeAll(chunk: Buffer): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.http.write(chunk, (error) =>
      error ? reject(this.#unavailable(`${this.#channel.peer} does not take the data`, error)) : resolve(),
    );
    return promise;
  }

  end(): void {
    if (!this.http.destroyed) this.http.end();
  }

  /** The next message, or `undefined` at the end of a call that went well. */
  async next(): Promise<Buffer | undefined> {
    if (this.#ready.length === 0) {
      const more = await this.#answers.take(this.#never);
      if (more === undefined) return undefined;
      this.#ready.push(...more);
    }
    return this.#ready.shift();
  }

  #status(headers: http2.IncomingHttpHeaders): void {
    const code = headers["grpc-status"];
    if (code === undefined) return;
    const said = headers["grpc-message"];
    const text = decodeMessage(said === undefined ? "" : String(said));
    this.#finish(code === "0" ? undefined : this.#channel.error(codes[Number(code) - 1] ?? "UNKNOWN", text));
  }

  #take(chunk: Buffer): void {
    this.#parts.push(chunk);
    this.#partsLength += chunk.length;
    while (this.#partsLength >= 5) {
      let whole = this.#parts.length === 1 ? this.#parts[0] : undefined;
      if (whole === undefined) {
        whole = Buffer.concat(this.#parts);
        this.#parts = [whole];
      }
      const end = 5 + whole.readUInt32BE(1);
      if (whole.length < end) return;
      if (!this.#answers.offer(whole.subarray(5, end))) this.#finish(this.#unavailable("answers are not read"));
      this.#parts = end === whole.length ? [] : [whole.subarray(end)];
      this.#partsLength = whole.length - end;
    }
  }

  #finish(error: unknown): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#answers.close(error);
    this.#timer?.cancel();
    this.#options.signal.removeEventListener("abort", this.#onAbort);
  }

  [Symbol.dispose](): void {
    if (!this.#finished) this.#finish(this.#unavailable("the call was given up"));
    if (!this.http.closed) this.http.close(http2.constants.NGHTTP2_CANCEL);
  }
}

function decodeMessage(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
