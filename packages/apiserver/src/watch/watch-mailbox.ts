import { refusals, type StatusError, type WatchEvent } from "@skiff/api";
import { Mailbox } from "@skiff/base";
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

  /** All events that are waiting (at least one), or `undefined` at the end. Throws `StatusError` when the watch cannot go on. */
  take(): Promise<WatchEvent[] | undefined> {
    return this.#box.takeUntilClosed();
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
