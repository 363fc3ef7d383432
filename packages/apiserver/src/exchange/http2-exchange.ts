import { once } from "node:events";
import { constants, type IncomingHttpHeaders, type OutgoingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import type { Readable } from "node:stream";
import { refusals } from "@skiff/api";
import { assert } from "@skiff/base";
import type { ResponseStream } from "../contracts.ts";
import { BaseExchange, type ConnectionContext, type FlatHeaders, type FullResponse } from "./base-exchange.ts";

/** A request by HTTP/2. */
export class Http2Exchange extends BaseExchange {
  readonly protocol = "h2";
  readonly #stream: ServerHttp2Stream;
  readonly #raw: IncomingHttpHeaders;
  /** Names and values one after the other, as they came. */
  readonly #rawHeaders: readonly string[];
  #headers: Record<string, string | undefined> | undefined;

  constructor(
    stream: ServerHttp2Stream,
    sent: { readonly headers: IncomingHttpHeaders; readonly raw: readonly string[] },
    context: ConnectionContext,
  ) {
    const { headers } = sent;
    super(headers[":method"] ?? "GET", headers[":path"] ?? "/", context);
    this.#rawHeaders = sent.raw;
    this.#stream = stream;
    this.#raw = headers;
    stream.on("close", () => this.closed());
    // A client that resets a stream is no failure of ours; `close` follows.
    stream.on("error", () => {});
  }

  get headers(): Readonly<Record<string, string | undefined>> {
    if (this.#headers !== undefined) return this.#headers;
    const headers: Record<string, string | undefined> = {};
    for (const name in this.#raw) {
      const value = this.#raw[name];
      headers[name] = Array.isArray(value) ? value.join(", ") : value;
    }
    headers.host ??= headers[":authority"];
    this.#headers = headers;
    return headers;
  }

  headerValues(name: string): readonly string[] {
    const values: string[] = [];
    for (let at = 0; at < this.#rawHeaders.length; at += 2) {
      if (this.#rawHeaders[at] === name) values.push(this.#rawHeaders[at + 1] ?? "");
    }
    return values;
  }

  protected hideContentType(): void {
    this.#headers = { ...this.headers, "content-type": "application/json" };
  }

  bodyStream(): Readable {
    return this.#stream;
  }

  stream({ status, contentType }: { readonly status: number; readonly contentType: string }): ResponseStream {
    assert(this.status === 0, "an exchange is answered once");
    this.status = status;
    const stream = this.#stream;
    if (!stream.destroyed) {
      stream.respond({
        ...toFields(this.extraHeaders ?? []),
        ":status": status,
        "content-type": contentType,
        "cache-control": "no-cache, private",
      });
    }
    this.started();
    const abort = () => {
      if (!stream.destroyed) stream.close(constants.NGHTTP2_CANCEL);
    };
    return {
      write: (chunk) => stream.destroyed || this.method === "HEAD" || stream.write(chunk),
      drained: async () => {
        if (stream.writableNeedDrain) await once(stream, "drain", { signal: this.signal });
      },
      abort,
      end: (withinMs) => {
        if (stream.destroyed) return;
        stream.end();
        this.breakOffAfter(withinMs, abort);
      },
    };
  }

  upgrade(): never {
    throw refusals.badRequest("unable to upgrade: HTTP/2 connections cannot be taken over");
  }

  protected write({ status, contentType, body }: FullResponse, headers: FlatHeaders): void {
    const stream = this.#stream;
    if (stream.destroyed) return;
    const fields: OutgoingHttpHeaders = {
      ...(headers.length === 0 ? undefined : toFields(headers)),
      ":status": status,
      "cache-control": "no-cache, private",
      "content-type": contentType,
      "content-length": typeof body === "string" ? Buffer.byteLength(body) : body.length,
    };
    stream.respond(fields);
    if (this.method !== "HEAD") stream.end(body);
    // A body that nobody will read need not be sent to its end.
    if (status >= 400 && !stream.readableEnded && !stream.endAfterHeaders) stream.close(constants.NGHTTP2_NO_ERROR);
  }
}

/** Repeated names become lists. */
function toFields(headers: FlatHeaders): OutgoingHttpHeaders {
  const fields: Record<string, string[]> = {};
  for (let at = 0; at < headers.length; at += 2) {
    const name = (headers[at] ?? "").toLowerCase();
    fields[name] ??= [];
    fields[name].push(headers[at + 1] ?? "");
  }
  return fields;
}
