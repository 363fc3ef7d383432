/** The other side of `GrpcChannel`, for what Skiff itself offers on a socket: unary calls and answers that stream, on Node's HTTP/2. */
import { rm } from "node:fs/promises";
import * as http2 from "node:http2";
import type { Init, Method } from "./codec.ts";
import { codes, type GrpcCode } from "./grpc-channel.ts";

/** A call ends with this status instead of an answer. */
export class GrpcStatus extends Error {
  override name = "GrpcStatus";
  readonly code: GrpcCode;
  constructor(code: GrpcCode, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.code = code;
  }
}

/** What a call ended with, worded as gRPC's own clients word it. */
export const rpcError = (code: GrpcCode, message: string, cause?: unknown): GrpcStatus =>
  new GrpcStatus(code, `rpc error: code = ${camel(code)} desc = ${message}`, { cause });

/** `NOT_FOUND` as Go's clients say it: `NotFound`. */
const camel = (code: GrpcCode): string =>
  code === "CANCELLED"
    ? "Canceled"
    : code
        .split("_")
        .map((word) => `${word[0]}${word.slice(1).toLowerCase()}`)
        .join("");

/** A method with what answers it, once or again and again. */
export interface Served {
  readonly path: string;
  answers(request: Buffer, signal: AbortSignal): AsyncIterable<Buffer>;
}

/** Binds a method to its handler. What that throws, other than `GrpcStatus`, is told as `INTERNAL`. */
export const serve = <Request, Response>(
  method: Method<Request, Response>,
  handle: (request: Request, signal: AbortSignal) => Promise<Init<Response>>,
): Served => ({
  path: method.path,
  async *answers(bytes, signal) {
    yield method.response.encode(await handle(method.request.decode(bytes), signal));
  },
});

/** Binds a method that streams its answers: the call ends when `handle` does, or when the caller has lost interest. */
export const serveStream = <Request, Response>(
  method: Method<Request, Response>,
  handle: (request: Request, signal: AbortSignal) => AsyncIterable<Init<Response>>,
): Served => ({
  path: method.path,
  async *answers(bytes, signal) {
    for await (const answer of handle(method.request.decode(bytes), signal)) yield method.response.encode(answer);
  },
});

const longestMessage = 4 * 1024 * 1024;

export class GrpcServer implements AsyncDisposable {
  readonly #http = http2.createServer();
  readonly #methods: ReadonlyMap<string, Served>;
  readonly #sessions = new Set<http2.ServerHttp2Session>();

  private constructor(methods: readonly Served[]) {
    this.#methods = new Map(methods.map((method) => [method.path, method]));
    this.#http.on("session", (session) => {
      this.#sessions.add(session);
      session.on("close", () => this.#sessions.delete(session));
      session.on("error", () => {});
    });
    this.#http.on("stream", (stream, headers) => this.#take(stream, headers));
  }

  /** Listens on a unix socket; one that lies there from an earlier life is replaced. */
  static async listen(path: string, methods: readonly Served[]): Promise<GrpcServer> {
    const server = new GrpcServer(methods);
    await rm(path, { force: true });
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    server.#http.once("error", reject);
    server.#http.listen(path, resolve);
    await promise;
    return server;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#http.close(() => resolve());
    for (const session of this.#sessions) session.destroy();
    await promise;
  }

  #take(stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders): void {
    const ended = new AbortController();
    stream.on("error", () => {});
    stream.on("close", () => ended.abort());
    const parts: Buffer[] = [];
    let length = 0;
    stream.on("data", (chunk: Buffer) => {
      length += chunk.length;
      if (length > longestMessage) refuse(stream, "RESOURCE_EXHAUSTED", "the message is too long");
      else parts.push(chunk);
    });
    stream.on("end", () => {
      if (stream.destroyed || stream.headersSent) return;
      const method = this.#methods.get(String(headers[":path"]));
      if (method === undefined) {
        refuse(stream, "UNIMPLEMENTED", `unknown method ${headers[":path"]}`);
        return;
      }
      const framed = Buffer.concat(parts);
      const whole = framed.length >= 5 && framed[0] === 0 && framed.readUInt32BE(1) === framed.length - 5;
      if (!whole) refuse(stream, "INTERNAL", "the message is not whole, or compressed");
      else void this.#answer(stream, method, framed.subarray(5), ended.signal);
    });
  }

  async #answer(stream: http2.ServerHttp2Stream, method: Served, message: Buffer, signal: AbortSignal): Promise<void> {
    let trailers: Readonly<Record<string, string>> = { "grpc-status": "0" };
    try {
      for await (const answer of method.answers(message, signal)) {
        if (stream.destroyed) return;
        if (!stream.headersSent) {
          stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
          stream.on("wantTrailers", () => stream.sendTrailers(trailers));
        }
        stream.write(framed(answer));
      }
    } catch (error) {
      const code = error instanceof GrpcStatus ? error.code : "INTERNAL";
      const text = error instanceof Error ? error.message : String(error);
      if (!stream.headersSent) {
        refuse(stream, code, text);
        return;
      }
      trailers = statusOf(code, text);
    }
    if (stream.destroyed) return;
    // A stream without any answer has its status in the headers.
    if (stream.headersSent) stream.end();
    else stream.respond({ ":status": 200, "content-type": "application/grpc", ...trailers }, { endStream: true });
  }
}

function refuse(stream: http2.ServerHttp2Stream, code: GrpcCode, message: string): void {
  if (stream.destroyed || stream.headersSent) return;
  const status = statusOf(code, message);
  stream.respond({ ":status": 200, "content-type": "application/grpc", ...status }, { endStream: true });
}

const statusOf = (code: GrpcCode, message: string): Readonly<Record<string, string>> => ({
  "grpc-status": String(codes.indexOf(code) + 1),
  "grpc-message": encodeURIComponent(message),
});

function framed(answer: Buffer): Buffer {
  const whole = Buffer.alloc(5 + answer.length);
  whole.writeUInt32BE(answer.length, 1);
  answer.copy(whole, 5);
  return whole;
}
