import { refusals, type StatusError, type WatchEvent } from "@skiff/api";
import { isAbort, Mailbox } from "@skiff/base";
import type { ServedObject } from "../cache/served-object.ts";
import { bookmarkObject } from "./bookmark-object.ts";
import { type ChangeType, type WatchRequest, WatchSource } from "./watch-source.ts";

/** So many events may wait for a reader in this process; one that is slower is cut off and has to list anew. */
const limit = 100_000;

/** A watch for a reader in this process. */
export class WatchMailbox implements Disposable {
  readonly #box = new Mailbox<WatchEvent>(limit);
  readonly #request: WatchRequest;
  readonly #source: WatchSource;

  constructor(request: WatchRequest) {
    this.#request = request;
    this.#source = new WatchSource(request, this);
    this.#source.start();
  }

  /** Events as they come, until the signal is aborted. Throws `StatusError` when the watch cannot go on. */
  async *read(signal: AbortSignal): AsyncGenerator<WatchEvent> {
    try {
      for (let events = await this.#box.take(signal); events !== undefined; events = await this.#box.take(signal)) {
        yield* events;
      }
    } catch (error) {
      if (!isAbort(error, signal)) throw error;
    }
  }

  event(type: ChangeType, { object }: ServedObject): void {
    this.#put({ type, object });
  }

  bookmark(revision: number, { initial }: { readonly initial: boolean }): void {
    this.#put({ type: "BOOKMARK", object: bookmarkObject(this.#request.storage.resource, revision, initial) });
  }

  fail(error: StatusError): void {
    this.#box.close(error);
  }

  end(): void {
    this.#box.close();
  }

  [Symbol.dispose](): void {
    this.#source[Symbol.dispose]();
    this.#box.close();
  }

  #put(event: WatchEvent): void {
    if (!this.#box.offer(event)) this.#box.close(refusals.expired("the watch was too slow for the events that came"));
  }
}
