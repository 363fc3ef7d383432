import type { StatusError } from "@skiff/api";
import type { JsonObject, Timer } from "@skiff/base";
import type { ServedObject } from "../cache/served-object.ts";
import type { Exchange, ResponseStream } from "../contracts.ts";
import { asJson } from "../encoding/object-json.ts";
import { type Bookmark, bookmarkObject } from "./bookmark-object.ts";
import type { Bookmarks } from "./bookmarks.ts";
import { type ChangeType, type WatchRequest, WatchSource } from "./watch-source.ts";

/** So much may wait for a client that reads more slowly than things happen; beyond that the watch is cut off. */
const slowLimitBytes = 16 * 1024 * 1024;

/** So long a client may take to read what was on its way when its watch ended. */
const lastChanceMs = 10_000;

/** Kubernetes' `--min-request-timeout`: watches without a timeout end between this and twice this. */
const usualTimeoutMs = 30 * 60_000;

/** So long before its end a watch with bookmarks gets one more: its client goes on from there. */
const lastMarkMs = 2_000;

/** How a watch is written out. */
export interface WatchEncoding {
  readonly contentType: string;
  /** One line of the stream. */
  event(type: ChangeType, served: ServedObject): Buffer;
  /** The same for a BOOKMARK or ERROR, where it is not a line of JSON. */
  frame?(type: "BOOKMARK" | "ERROR", object: JsonObject): Buffer;
  /** The object inside a BOOKMARK, where it is not the usual one. */
  bookmark?(object: Bookmark): JsonObject;
}

/** Answers with a watch until it ends: client gone, time over, server stopping, client too slow. */
export async function serveWatch(
  exchange: Exchange,
  request: WatchRequest & { readonly bookmarks: Bookmarks },
  encoding: WatchEncoding,
): Promise<void> {
  const { environment } = request.storage;
  const over = Promise.withResolvers<void>();
  const stream = exchange.stream({ status: 200, contentType: encoding.contentType });
  const writer = new WatchWriter(request, { stream, encoding, end: over.resolve });
  using source = new WatchSource(request, writer);
  const timeoutMs = request.options.timeoutMs ?? usualTimeoutMs * (1 + environment.random.next());
  const timer: Timer = environment.clock.after(timeoutMs, over.resolve);
  const mark = () => {
    if (source.isLive) writer.bookmark(environment.cache.revision, { initial: false });
  };
  const wantsMarks = request.options.bookmarks;
  const marks = wantsMarks ? request.bookmarks.add(mark) : undefined;
  const lastMark =
    wantsMarks && timeoutMs > lastMarkMs ? environment.clock.after(timeoutMs - lastMarkMs, mark) : undefined;
  exchange.signal.addEventListener("abort", () => over.resolve(), { once: true });
  if (exchange.signal.aborted) over.resolve();
  try {
    source.start();
    await over.promise;
  } finally {
    timer.cancel();
    lastMark?.cancel();
    marks?.[Symbol.dispose]();
    writer.finish();
  }
}

const lineOf = (type: string, object: JsonObject): Buffer => Buffer.from(`${JSON.stringify({ type, object })}\n`);

/** Gathers a watch's lines and writes what one turn of the store brought in one piece. */
class WatchWriter {
  readonly #request: WatchRequest;
  readonly #stream: ResponseStream;
  readonly #encoding: WatchEncoding;
  readonly #end: () => void;
  #lines: Buffer[] = [];
  #bytes = 0;
  #blocked = false;
  #finished = false;
  readonly #flush = () => this.#write();

  constructor(
    request: WatchRequest,
    way: { readonly stream: ResponseStream; readonly encoding: WatchEncoding; readonly end: () => void },
  ) {
    this.#request = request;
    this.#stream = way.stream;
    this.#encoding = way.encoding;
    this.#end = way.end;
  }

  event(type: ChangeType, served: ServedObject): void {
    this.#request.storage.told.events++;
    this.#push(this.#encoding.event(type, served));
  }

  bookmark(revision: number, { initial }: { readonly initial: boolean }): void {
    const plain = bookmarkObject(this.#request.storage.resource, revision, initial);
    const object = this.#encoding.bookmark?.(plain) ?? plain;
    this.#push(this.#encoding.frame?.("BOOKMARK", object) ?? lineOf("BOOKMARK", object));
  }

  fail(error: StatusError): void {
    const status = asJson(error.status);
    this.#push(this.#encoding.frame?.("ERROR", status) ?? lineOf("ERROR", status));
    this.#end();
  }

  end(): void {
    this.#end();
  }

  finish(): void {
    if (this.#finished) return;
    if (!this.#blocked) this.#write();
    this.#finished = true;
    this.#lines = [];
    if (this.#bytes > slowLimitBytes) {
      this.#stream.abort();
      return;
    }
    // What the client has not taken by then it will not take any more, and it would stay in memory for good.
    this.#stream.end(this.#blocked ? lastChanceMs : undefined);
  }

  #push(line: Buffer): void {
    if (this.#finished) return;
    this.#lines.push(line);
    this.#bytes += line.length;
    if (this.#blocked) {
      if (this.#bytes > slowLimitBytes) this.#end();
    } else this.#request.storage.environment.cache.flushLater(this.#flush);
  }

  #write(): void {
    const [first] = this.#lines;
    if (first === undefined || this.#blocked || this.#finished) return;
    const piece = this.#lines.length === 1 ? first : Buffer.concat(this.#lines);
    this.#lines = [];
    this.#bytes = 0;
    if (this.#stream.write(piece)) return;
    this.#blocked = true;
    this.#stream.drained().then(
      () => {
        this.#blocked = false;
        this.#write();
      },
      () => this.#end(),
    );
  }
}
