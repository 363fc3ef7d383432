import { setImmediate } from "node:timers/promises";
import { inRange } from "../keys.ts";
import {
  CompactedError,
  type StoreError,
  type StoreEvent,
  type StoreEventBatch,
  type StoreWatch,
  type WatchOptions,
} from "../store.ts";
import type { Storage } from "./storage.ts";

/** How many past transactions a watch is given at a time before others get their turn. */
const catchUpBatches = 200;

type History = Pick<Storage, "revision" | "compactedRevision" | "changes">;

/**
 * Delivers transactions to watches. A watch from the past first reads history, a piece at a time, and joins the live ones
 * at the moment when nothing is left to read: no seam, since `publish` skips what a watch has already had.
 */
export class WatchHub {
  readonly #history: History;
  readonly #watches = new Set<Watch>();
  #publishedRevision: number;

  constructor(history: History) {
    this.#history = history;
    this.#publishedRevision = history.revision;
  }

  /** The newest revision that all live watches have had. */
  get publishedRevision(): number {
    return this.#publishedRevision;
  }

  /** Starts a watch; its first callback comes after this call has returned. */
  watch(options: WatchOptions): StoreWatch {
    if (options.fromRevision < this.#history.compactedRevision) {
      throw new CompactedError(this.#history.compactedRevision);
    }
    const watch = new Watch(this, options);
    this.#watches.add(watch);
    if (options.fromRevision > this.#history.revision) watch.live = true;
    else queueMicrotask(() => void this.#catchUp(watch));
    return watch;
  }

  /** Gives new transactions, in order, to every live watch. They must be readable already. */
  publish(batches: readonly StoreEventBatch[]): void {
    for (const batch of batches) {
      // A callback may start and stop watches: a stopped one ignores what it gets, a new one wants later revisions only.
      for (const watch of this.#watches) if (watch.live) watch.deliver(batch);
      this.#publishedRevision = batch.revision;
    }
  }

  /** Breaks off all watches. */
  end(error: StoreError): void {
    for (const watch of [...this.#watches]) this.#end(watch, error);
  }

  remove(watch: Watch): void {
    this.#watches.delete(watch);
  }

  #end(watch: Watch, error: StoreError): void {
    if (!this.#watches.delete(watch)) return;
    watch.end(error);
  }

  async #catchUp(watch: Watch): Promise<void> {
    while (this.#watches.has(watch)) {
      if (watch.nextRevision < this.#history.compactedRevision) {
        this.#end(watch, new CompactedError(this.#history.compactedRevision));
        return;
      }
      const batches = this.#history.changes(watch.nextRevision, catchUpBatches);
      for (const batch of batches) watch.deliver(batch);
      if (batches.length === 0 || watch.nextRevision > this.#history.revision) {
        watch.live = true;
        return;
      }
      await setImmediate();
    }
  }
}

class Watch implements StoreWatch {
  /** False while it is reading history. */
  live = false;
  /** What it has not had yet begins here. */
  nextRevision: number;
  #lastRevision: number;
  #stopped = false;
  readonly #hub: WatchHub;
  readonly #options: WatchOptions;
  readonly #wants: (key: string) => boolean;

  constructor(hub: WatchHub, options: WatchOptions) {
    this.#hub = hub;
    this.#options = options;
    this.nextRevision = options.fromRevision;
    // A watch of the future has missed nothing of what there is now.
    this.#lastRevision = Math.min(options.fromRevision - 1, hub.publishedRevision);
    this.#wants = inRange(options.range);
  }

  get deliveredRevision(): number {
    return this.live ? Math.max(this.#lastRevision, this.#hub.publishedRevision) : this.#lastRevision;
  }

  deliver(batch: StoreEventBatch): void {
    if (this.#stopped || batch.revision < this.nextRevision) return;
    this.nextRevision = batch.revision + 1;
    const wanted = this.#select(batch);
    if (wanted !== undefined) this.#call(() => this.#options.onBatch(wanted));
    this.#lastRevision = batch.revision;
  }

  end(error: StoreError): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#call(() => this.#options.onEnd(error));
  }

  [Symbol.dispose](): void {
    this.#stopped = true;
    this.#hub.remove(this);
  }

  /** The part of a batch in the watched range: mostly all of it or nothing, which then is not copied. */
  #select(batch: StoreEventBatch): StoreEventBatch | undefined {
    const { events } = batch;
    const [first] = events;
    if (events.length === 1 && first !== undefined) return this.#wants(keyOf(first)) ? batch : undefined;
    const wanted = events.filter((event) => this.#wants(keyOf(event)));
    if (wanted.length === 0) return undefined;
    return wanted.length === events.length ? batch : { revision: batch.revision, events: wanted };
  }

  /** A callback that throws is a bug of its owner: the process must hear of it, but other watches must not suffer first. */
  #call(callback: () => void): void {
    try {
      callback();
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  }
}

const keyOf = (event: StoreEvent): string => (event.kind === "put" ? event.current.key : event.key);
