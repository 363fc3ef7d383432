/**
 * gRPC to a Unix socket on Node's own HTTP/2. Only what containerd's API needs: unary calls, server streams and one
 * kind of stream in both directions. A connection is made when the first call needs it, and anew after it broke.
 */
import * as http2 from "node:http2";
import { connect } from "node:net";
import { type Clock, Mailbox, type Timer } from "@skiff/base";
import { RuntimeError } from "../runtime.ts";
import type { Init, Method } from "./codec.ts";
import { grpcError, unavailable } from "./grpc-error.ts";

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

export class GrpcChannel implements Disposable {
  readonly #socket: string;
  readonly #clock: Clock;
  #session: http2.ClientHttp2Session | undefined;
  #closed = false;

  constructor(socket: string, clock: Clock) {
    this.#socket = socket;
    this.#clock = clock;
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
    if (answer === undefined) throw unavailable("the runtime gave no answer");
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
      async receive() {
        const answer = await stream.next();
        if (answer === undefined) throw unavailable("the runtime ended the call");
        return method.response.decode(answer);
      },
      end: () => stream.end(),
      [Symbol.dispose]: () => stream[Symbol.dispose](),
    };
  }

  #open<Request, Response>(method: Method<Request, Response>, options: CallOptions): CallStream {
    options.signal.throwIfAborted();
    if (this.#closed) throw unavailable("the connection to the runtime is closed");
    const timeout = options.deadlineMs === undefined ? {} : { "grpc-timeout": `${Math.ceil(options.deadlineMs)}m` };
    const stream = this.#connect().request({
      ":method": "POST",
      ":path": method.path,
      te: "trailers",
      "content-type": "application/grpc",
      ...timeout,
      ...options.metadata,
    });
    return new CallStream(stream, options, this.#clock);
  }

  #connect(): http2.ClientHttp2Session {
    const held = this.#session;
    if (held !== undefined && !held.closed && !held.destroyed) return held;
    // containerd accepts only an authority that looks like a host's name.
    const session = http2.connect("http://localhost", {
      createConnection: () => connect(this.#socket),
      settings: { enablePush: false, initialWindowSize: 1024 * 1024 },
    });
    // Calls under way hear of it themselves.
    session.on("error", () => {});
    session.on("close", () => {
      if (this.#session === session) this.#session = undefined;
    });
    session.on("goaway", () => session.close());
    this.#session = session;
    return session;
  }
}

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
  #parts: Buffer[] = [];
  #partsLength = 0;
  #finished = false;
  #timer: Timer | undefined;

  constructor(http: http2.ClientHttp2Stream, options: CallOptions, clock: Clock) {
    this.http = http;
    this.#options = options;
    options.signal.addEventListener("abort", this.#onAbort, { once: true });
    http.on("response", (headers) => this.#status(headers));
    http.on("trailers", (headers) => this.#status(headers));
    http.on("data", (chunk: Buffer) => this.#take(chunk));
    http.on("error", (error) => this.#finish(unavailable("the connection to the runtime failed", error)));
    http.on("close", () => this.#finish(unavailable("the connection to the runtime was closed")));
    if (options.deadlineMs !== undefined) {
      // The server ends the call at the deadline; this is for one that does not answer at all.
      this.#timer = clock.after(options.deadlineMs + 500, () => {
        this.#finish(new RuntimeError("DEADLINE_EXCEEDED", "context deadline exceeded"));
        http.close(http2.constants.NGHTTP2_CANCEL);
      });
    }
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
      error ? reject(unavailable("the runtime does not take the data", error)) : resolve(),
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
    this.#finish(
      code === "0" ? undefined : grpcError(Number(code), decodeMessage(said === undefined ? "" : String(said))),
    );
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
      if (!this.#answers.offer(whole.subarray(5, end))) this.#finish(unavailable("the runtime's answers are not read"));
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
    if (!this.#finished) this.#finish(unavailable("the call was given up"));
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
