import type { Duplex, Readable } from "node:stream";
import { promisify } from "node:util";
import { constants, gzip } from "node:zlib";
import type { Clock, Timer } from "@skiff/base";
import type { Exchange, ResponseStream } from "../contracts.ts";
import { protobufToJson, protobufType } from "../encoding/protobuf/protobuf-to-json.ts";
import type { ShownCertificate } from "./client-certificate.ts";
import { readBody } from "./read-body.ts";

/** Larger responses are compressed for clients that can read that. */
const gzipFromBytes = 128 * 1024;
const compress = promisify(gzip);

/** What a response consists of. */
export interface FullResponse {
  readonly status: number;
  readonly contentType: string;
  readonly body: Uint8Array | string;
}

/** What all exchanges of a connection share. */
export interface ConnectionContext {
  readonly clock: Clock;
  readonly remoteAddress: string;
  readonly shown: ShownCertificate;
  /** The server is about to stop: connections end with the answers that are under way. */
  readonly draining: () => boolean;
}

/** Header names and values one after the other. */
export type FlatHeaders = string[];

/** What both protocols have in common. Things that few requests need are made when first asked for. */
export abstract class BaseExchange implements Exchange {
  abstract readonly protocol: Exchange["protocol"];
  readonly method: string;
  readonly url: string;
  readonly path: string;
  readonly context: ConnectionContext;
  /** Status of the answer; 0 until there is one. */
  status = 0;
  /** How long the answer's body is, before it is compressed; of streams nobody knows. */
  bodyBytes = 0;
  /** True for watches and connections, which go on for as long as the client likes: they end when the server stops. */
  isLongRunning = false;
  /** Where given: hears what the request and its answer consist of. */
  recorder: { request(body: Buffer): void; response(body: Uint8Array | string): void } | undefined;
  /** Where given: notes something of the request for the audit log. */
  annotate: ((key: string, text: string) => void) | undefined;
  /** Called once, when an answer of unknown length begins. */
  onStarted: (() => void) | undefined;
  /** Called once, when the answer is written (a stream: when it has ended). */
  onDone: ((exchange: BaseExchange) => void) | undefined;
  /** Called once, when the answer has left (or never will). */
  onClosed: (() => void) | undefined;
  protected extraHeaders: FlatHeaders | undefined;
  readonly #queryAt: number;
  #query: URLSearchParams | undefined;
  #abort: AbortController | undefined;
  #closed = false;
  #lastChance: Timer | undefined;
  #translates = false;

  constructor(method: string, url: string, context: ConnectionContext) {
    this.method = method;
    this.url = url;
    this.context = context;
    this.#queryAt = url.indexOf("?");
    this.path = decodePath(this.#queryAt === -1 ? url : url.slice(0, this.#queryAt));
  }

  abstract readonly headers: Readonly<Record<string, string | undefined>>;
  abstract headerValues(name: string): readonly string[];
  protected abstract hideContentType(): void;
  abstract bodyStream(): Readable;
  abstract stream(head: { readonly status: number; readonly contentType: string }): ResponseStream;
  abstract upgrade(): { readonly socket: Duplex; readonly head: Buffer };
  /** Writes the whole answer. `headers` come beside the content's type and length. */
  protected abstract write(response: FullResponse, headers: FlatHeaders): void;

  get hasQuery(): boolean {
    return this.#queryAt !== -1;
  }

  get query(): URLSearchParams {
    this.#query ??= new URLSearchParams(this.#queryAt === -1 ? "" : this.url.slice(this.#queryAt + 1));
    return this.#query;
  }

  get remoteAddress(): string {
    return this.context.remoteAddress;
  }

  get clientCertificate(): Exchange["clientCertificate"] {
    return this.context.shown.certificate;
  }

  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    if (this.#closed) this.#abort.abort();
    return this.#abort.signal;
  }

  async body(limitBytes: number): Promise<Buffer> {
    const declared = this.headers["content-length"];
    const body = await readBody(this.bodyStream(), { limitBytes, declared });
    const told = this.#translates ? Buffer.from(protobufToJson(body)) : body;
    this.recorder?.request(told);
    return told;
  }

  /** Tells a protobuf body, if that is what the client sends, in JSON: who reads it need not know. */
  translateBody(): void {
    if (this.headers["content-type"]?.startsWith(protobufType) !== true) return;
    this.#translates = true;
    this.hideContentType();
  }

  setHeader(name: string, value: string): void {
    this.extraHeaders ??= [];
    this.extraHeaders.push(name, value);
  }

  respond(response: FullResponse): void {
    if (this.status !== 0) return;
    this.status = response.status;
    this.bodyBytes = response.body.length;
    this.recorder?.response(response.body);
    const headers = this.extraHeaders ?? [];
    if (response.body.length < gzipFromBytes || !this.headers["accept-encoding"]?.includes("gzip")) {
      this.#finish(response, headers);
      return;
    }
    // Compression runs beside the event loop; without it, should it fail, the answer is only longer.
    compress(response.body, { level: constants.Z_BEST_SPEED }).then(
      (body) =>
        this.#finish({ ...response, body }, [...headers, "content-encoding", "gzip", "vary", "Accept-Encoding"]),
      () => this.#finish(response, headers),
    );
  }

  /** The client is gone, the answer is complete, or the server stops: whoever listens to the signal hears of it. */
  closed(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#lastChance?.cancel();
    this.#abort?.abort();
    this.done();
    this.onClosed?.();
  }

  /** Aborts what is going on without waiting for the client. */
  stop(): void {
    this.#abort?.abort();
  }

  /** Breaks the answer off after this time unless it has left by then. */
  protected breakOffAfter(ms: number | undefined, abort: () => void): void {
    if (ms !== undefined && !this.#closed) this.#lastChance = this.context.clock.after(ms, abort);
  }

  protected started(): void {
    const { onStarted } = this;
    this.onStarted = undefined;
    onStarted?.();
  }

  protected done(): void {
    const { onDone } = this;
    this.onDone = undefined;
    onDone?.(this);
  }

  #finish(response: FullResponse, headers: FlatHeaders): void {
    this.write(response, headers);
    this.done();
  }
}

function decodePath(path: string): string {
  if (!path.includes("%")) return path;
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
