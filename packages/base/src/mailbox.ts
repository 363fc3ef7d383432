import { abortable } from "./abort.ts";

/** Thrown by `Mailbox.put` into a full or closed box. */
export class MailboxFull extends Error {
  override name = "MailboxFull";
  readonly code = "MAILBOX_FULL";
}

/**
 * A bounded queue between one or more producers and one consumer. Producers never wait: a box that is full says so
 * (`offer` gives false), and the producer decides whether the consumer is cut off or the item dropped.
 */
export class Mailbox<T> implements AsyncIterable<T> {
  readonly #limit: number;
  #items: T[] = [];
  #closed: { readonly error?: unknown } | undefined;
  #wake: PromiseWithResolvers<void> | undefined;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#items.length;
  }

  /** False when the box is full or closed. */
  offer(item: T): boolean {
    if (this.#closed !== undefined || this.#items.length >= this.#limit) return false;
    this.#items.push(item);
    this.#notify();
    return true;
  }

  /** As `offer`, but throws `MailboxFull`. */
  put(item: T): void {
    if (!this.offer(item)) throw new MailboxFull(`mailbox holds its ${this.#limit} items or is closed`);
  }

  /** No more items: the consumer gets what is left, then the end, or `error` where one is given. */
  close(error?: unknown): void {
    this.#closed ??= error === undefined ? {} : { error };
    this.#notify();
  }

  /** All items that are waiting (at least one), or `undefined` at the end. Throws what `close` was given. */
  async take(signal: AbortSignal): Promise<T[] | undefined> {
    signal.throwIfAborted();
    while (this.#isEmpty()) {
      await abortable(this.#wait(), signal);
      signal.throwIfAborted();
    }
    return this.#taken();
  }

  /** As `take`, for a consumer that closes the box to give up: a listener at a signal for each wait costs more than most items. */
  async takeUntilClosed(): Promise<T[] | undefined> {
    while (this.#isEmpty()) await this.#wait();
    return this.#taken();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    for (let items = await this.takeUntilClosed(); items !== undefined; items = await this.takeUntilClosed())
      yield* items;
  }

  #isEmpty(): boolean {
    return this.#items.length === 0 && this.#closed === undefined;
  }

  #wait(): Promise<void> {
    this.#wake ??= Promise.withResolvers<void>();
    return this.#wake.promise;
  }

  #taken(): T[] | undefined {
    if (this.#items.length === 0) {
      if (this.#closed?.error !== undefined) throw this.#closed.error;
      return undefined;
    }
    const items = this.#items;
    this.#items = [];
    return items;
  }

  #notify(): void {
    this.#wake?.resolve();
    this.#wake = undefined;
  }
}
