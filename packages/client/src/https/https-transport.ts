import type { ClientHttp2Stream, IncomingHttpHeaders } from "node:http2";
import { refusals, StatusError, type Transport, type TransportRequest, type WatchEvent } from "@skiff/api";
import { type Clock, deepFreeze, describeError, isAbort, isJsonObject, type JsonObject } from "@skiff/base";
import { Http2Connection } from "./http2-connection.ts";
import { requestUrl } from "./request-url.ts";
import { watchEvents } from "./watch-events.ts";

export interface HttpsTransportOptions {
  /** As in `https://10.0.0.1:6443`; or where to try next, asked for each connection: several servers can be one cluster's. */
  readonly endpoint: string | (() => string);
  /** PEM of the only authorities that are trusted. The machine's where absent. */
  readonly ca?: string;
  /** PEM of the client certificate and its key. */
  readonly cert?: string;
  readonly key?: string;
  /** Bearer token, or how to find the present one (tokens are renewed). */
  readonly token?: string | (() => string);
  readonly userAgent?: string;
  readonly clock: Clock;
}

/**
 * The API over HTTP/2: one connection for all requests and watches, made when first needed and made anew after it broke.
 * What the server refuses throws its `StatusError`; a server that cannot be reached throws one with code 503. Waiting
 * before the next attempt is the caller's business (informers and controllers back off).
 */
export function httpsTransport(options: HttpsTransportOptions): Transport & AsyncDisposable {
  const connection = new Http2Connection(options);
  const open = async (request: TransportRequest, signal: AbortSignal, watch: boolean): Promise<Answer> => {
    signal.throwIfAborted();
    try {
      const { url, body, contentType } = requestUrl(request, { watch });
      const token = typeof options.token === "function" ? options.token() : options.token;
      const stream = await connection.request(
        {
          ":method": methods[request.verb],
          ":path": url,
          accept: "application/json",
          "user-agent": options.userAgent ?? "skiff/v1.36",
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(body === undefined ? {} : { "content-type": contentType ?? "application/json" }),
        },
        signal,
      );
      return await answerOf(stream, body, signal);
    } catch (error) {
      throw asRefusal(error, signal);
    }
  };
  return {
    async send(request, signal) {
      const { stream, chunks, headers } = await open(request, signal, false);
      try {
        return deepFreeze(decode(await readAll(stream, chunks), headers));
      } catch (error) {
        throw asRefusal(error, signal);
      }
    },
    async *watch(request, signal): AsyncGenerator<WatchEvent> {
      const { stream, chunks, headers } = await open(request, signal, true);
      using _closed = closing(stream);
      try {
        if (codeOf(headers) !== 200) decode(await readAll(stream, chunks), headers);
        for await (const event of watchEvents(chunks)) {
          if (event.type === "ERROR") throw new StatusError(event.object);
          yield deepFreeze(event);
        }
      } catch (error) {
        throw asRefusal(error, signal);
      }
      signal.throwIfAborted();
    },
    [Symbol.asyncDispose]: () => connection[Symbol.asyncDispose](),
  };
}

const methods = {
  get: "GET",
  list: "GET",
  create: "POST",
  update: "PUT",
  patch: "PATCH",
  delete: "DELETE",
  deletecollection: "DELETE",
} as const satisfies Record<TransportRequest["verb"], string>;

interface Answer {
  readonly stream: ClientHttp2Stream;
  readonly chunks: AsyncIterable<Buffer>;
  readonly headers: IncomingHttpHeaders;
}

function answerOf(stream: ClientHttp2Stream, body: string | undefined, signal: AbortSignal): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const chunks = readingAtOnce(stream);
  const onAbort = () => {
    reject(signal.reason);
    stream.destroy();
  };
  signal.addEventListener("abort", onAbort, { once: true });
  stream.once("response", (headers) => resolve({ stream, chunks, headers }));
  stream.on("error", reject);
  stream.once("close", () => {
    signal.removeEventListener("abort", onAbort);
    reject(new Error("the connection was closed before the answer"));
  });
  stream.end(body);
  return promise;
}

/** Reads from now on: to who begins when an answer has come whole, end and all, Node says that it was cut off. */
function readingAtOnce(stream: ClientHttp2Stream): AsyncIterable<Buffer> {
  const reader: AsyncIterator<Buffer> = stream[Symbol.asyncIterator]();
  const first = reader.next();
  // Whoever reads hears of it.
  first.catch(() => {});
  return {
    async *[Symbol.asyncIterator]() {
      try {
        for (let step = await first; step.done !== true; step = await reader.next()) yield step.value;
      } finally {
        await reader.return?.();
      }
    },
  };
}

async function readAll(stream: ClientHttp2Stream, answer: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk);
  if (stream.rstCode !== 0) throw new Error("the answer was cut off");
  return Buffer.concat(chunks).toString("utf8");
}

const codeOf = (headers: IncomingHttpHeaders): number => Number(headers[":status"] ?? 0);

/** The object, or a thrown `StatusError` for every answer that is not a success. */
function decode(text: string, headers: IncomingHttpHeaders): JsonObject {
  const code = codeOf(headers);
  const value = parse(text);
  if (value === undefined || code < 200 || code > 299) {
    if (value?.kind === "Status") throw new StatusError({ ...value, code: Number(value.code ?? code) });
    if (code === 401) throw refusals.unauthorized();
    throw new StatusError({
      kind: "Status",
      apiVersion: "v1",
      status: "Failure",
      code: code < 400 ? 502 : code,
      reason: code === 503 ? "ServiceUnavailable" : "InternalError",
      message: `the server answered ${code}: ${text.slice(0, 200)}`,
    });
  }
  return value;
}

function parse(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Failures of the network are a server that is not available; refusals and aborts stay what they are. */
function asRefusal(error: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason;
  if (error instanceof StatusError || isAbort(error, signal)) return error;
  return new StatusError(refusals.unavailable(describeError(error)).status, { cause: error });
}

const closing = (stream: ClientHttp2Stream): Disposable => ({ [Symbol.dispose]: () => void stream.destroy() });
