import { once } from "node:events";
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import type { Duplex, Readable } from "node:stream";
import { assert } from "@skiff/base";
import type { ResponseStream } from "../contracts.ts";
import { BaseExchange, type ConnectionContext, type FlatHeaders, type FullResponse } from "./base-exchange.ts";
import { lingerAtEnd } from "./linger.ts";
import { isWebSocket, webSocketStream } from "./web-socket-stream.ts";

/** A connection that a client asked to take over, and what it sent already. */
export interface UpgradeRequest {
  readonly socket: Duplex;
  readonly head: Buffer;
}

/** A request by HTTP/1.1. */
export class Http1Exchange extends BaseExchange {
  readonly protocol = "http/1.1";
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #upgrade: UpgradeRequest | undefined;
  #headers: Record<string, string | undefined> | undefined;

  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    way: { readonly context: ConnectionContext; readonly upgrade?: UpgradeRequest },
  ) {
    super(request.method ?? "GET", request.url ?? "/", way.context);
    this.#request = request;
    this.#response = response;
    this.#upgrade = way.upgrade;
    response.on("close", () => this.closed());
  }

  get headers(): Readonly<Record<string, string | undefined>> {
    this.#headers ??= flat(this.#request.headers);
    return this.#headers;
  }

  headerValues(name: string): readonly string[] {
    return this.#request.headersDistinct[name] ?? [];
  }

  protected hideContentType(): void {
    this.#headers = { ...this.headers, "content-type": "application/json" };
  }

  bodyStream(): Readable {
    return this.#request;
  }

  stream({ status, contentType }: { readonly status: number; readonly contentType: string }): ResponseStream {
    assert(this.status === 0, "an exchange is answered once");
    if (this.#upgrade !== undefined && isWebSocket(this.headers.upgrade)) return this.#streamOverWebSocket(contentType);
    this.status = status;
    const response = this.#response;
    response.writeHead(status, [
      "content-type",
      contentType,
      "cache-control",
      "no-cache, private",
      ...(this.extraHeaders ?? []),
    ]);
    response.flushHeaders();
    this.started();
    const abort = () => void response.destroy();
    return {
      write: (chunk) => response.write(chunk),
      drained: async () => {
        if (response.writableNeedDrain) await once(response, "drain", { signal: this.signal });
      },
      abort,
      end: (withinMs) => {
        response.end();
        this.breakOffAfter(withinMs, abort);
      },
    };
  }

  #streamOverWebSocket(contentType: string): ResponseStream {
    const stream = webSocketStream(this.#request, this.upgrade(), { contentType, signal: this.signal });
    return {
      ...stream,
      end: (withinMs) => {
        stream.end();
        this.breakOffAfter(withinMs, stream.abort);
      },
    };
  }

  upgrade(): UpgradeRequest {
    assert(this.#upgrade !== undefined, "only an upgrade request can be upgraded");
    this.status = 101;
    this.started();
    this.#response.detachSocket(this.#request.socket);
    this.#upgrade.socket.on("close", () => this.closed());
    return this.#upgrade;
  }

  protected write({ status, contentType, body }: FullResponse, headers: FlatHeaders): void {
    const response = this.#response;
    if (response.destroyed) return;
    const length = typeof body === "string" ? Buffer.byteLength(body) : body.length;
    // A body that was not read to its end leaves the connection in an unknown state.
    const unread = status >= 400 && !this.#request.complete;
    if (unread) {
      lingerAtEnd(this.#request.socket);
      this.#request.resume();
    }
    const close = unread || this.#upgrade !== undefined || this.context.draining();
    response.writeHead(status, [
      "cache-control",
      "no-cache, private",
      "content-type",
      contentType,
      "content-length",
      String(length),
      ...headers,
      ...(close ? ["connection", "close"] : []),
    ]);
    response.end(body);
  }
}

type FlatHeader = Record<string, string | undefined>;

/** `set-cookie`, which clients have no reason to send, is the one header that Node gives as a list. */
const isFlat = (headers: IncomingHttpHeaders): headers is IncomingHttpHeaders & FlatHeader =>
  headers["set-cookie"] === undefined;

const flat = (headers: IncomingHttpHeaders): FlatHeader =>
  isFlat(headers) ? headers : { ...headers, "set-cookie": headers["set-cookie"]?.join(", ") };
