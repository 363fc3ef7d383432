import type { KubeObject } from "@skiff/api";
import { backoffDelayMs, type Clock, describeError, type Logger } from "@skiff/base";
import { type KeyValue, prefixRange, type Store, StoreClosedError, type StoreWatch } from "@skiff/store";
import { prefixOfKey, registryPrefix } from "./keys.ts";
import { ResourceCache } from "./resource-cache.ts";

/** What a watch cache needs. */
export interface WatchCacheOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
}

const relistBackoff = { initialMs: 100, maxMs: 5_000 };

/**
 * Everything that is stored, in memory, one `ResourceCache` a resource, fed by one watch of the store. Since a store calls
 * its watches before it answers a commit, whoever has written reads their own write here; what other servers have written
 * to a shared store is here after `fresh`.
 */
export class WatchCache implements Disposable {
  readonly #caches = new Map<string, ResourceCache>();
  readonly #known = new Map<Uint8Array, KubeObject>();
  readonly #loadedRevision: number;
  readonly #flushes = new Set<() => void>();
  #watch: StoreWatch | undefined;
  #seenRevision: number;
  #flushing = false;

  readonly #options: WatchCacheOptions;
  readonly #stop = new AbortController();
  /** While the watch is lost and what is there is read anew. */
  #relisting: Promise<void> | undefined;

  private constructor(options: WatchCacheOptions, revision: number) {
    this.#options = options;
    this.#loadedRevision = revision;
    this.#seenRevision = revision;
  }

  /** Reads all that is there and follows the store from then on. */
  static async open(options: WatchCacheOptions): Promise<WatchCache> {
    const { revision, entries } = await options.store.range(prefixRange(registryPrefix));
    const cache = new WatchCache(options, revision);
    for (const [prefix, group] of Map.groupBy(entries, ({ key }: KeyValue) => prefixOfKey(key))) {
      cache.of(prefix).load(group);
    }
    cache.#follow(revision + 1);
    return cache;
  }

  /** Whether other servers may write to the store, so that `fresh` makes a difference. */
  get isShared(): boolean {
    return this.#options.store.isShared;
  }

  /** Resolves when everything is here that anybody had written when this was called. */
  async fresh(): Promise<void> {
    while (this.#relisting !== undefined) await this.#relisting;
    await this.#options.store.sync();
  }

  #follow(fromRevision: number): void {
    const { store, logger } = this.#options;
    this.#watch = store.watch({
      range: prefixRange(registryPrefix),
      fromRevision,
      onBatch: (batch) => {
        this.#seenRevision = batch.revision;
        for (const event of batch.events) {
          this.of(prefixOfKey(event.kind === "put" ? event.current.key : event.key)).apply(event);
        }
        this.#flushSoon();
      },
      onEnd: (error) => {
        if (error instanceof StoreClosedError) return;
        logger.warn(`the watch cache lost its watch and reads everything anew: ${describeError(error)}`);
        this.#relisting = this.#relist().finally(() => {
          this.#relisting = undefined;
        });
      },
    });
  }

  /** Until it succeeds. */
  async #relist(): Promise<void> {
    const { store, clock, logger } = this.#options;
    const { signal } = this.#stop;
    for (let failures = 1; !signal.aborted; failures++) {
      try {
        const { revision, entries } = await store.range(prefixRange(registryPrefix));
        const byPrefix = Map.groupBy(entries, ({ key }: KeyValue) => prefixOfKey(key));
        for (const prefix of new Set([...this.#caches.keys(), ...byPrefix.keys()])) {
          this.of(prefix).reload(byPrefix.get(prefix) ?? [], revision);
        }
        this.#seenRevision = revision;
        this.#flushSoon();
        this.#follow(revision + 1);
        return;
      } catch (error) {
        if (error instanceof StoreClosedError) return;
        logger.warn(`the store cannot be read: ${describeError(error)}`);
        await clock.sleep(backoffDelayMs(relistBackoff, failures), signal).catch(() => {});
      }
    }
  }

  /** Everything up to this revision is in the cache. */
  get revision(): number {
    return Math.max(this.#seenRevision, this.#watch?.deliveredRevision ?? 0);
  }

  /** The cache of the resource stored under a prefix. */
  of(prefix: string): ResourceCache {
    const known = this.#caches.get(prefix);
    if (known !== undefined) return known;
    const made = new ResourceCache(this.#loadedRevision, this.#known);
    this.#caches.set(prefix, made);
    return made;
  }

  /**
   * Remembers the value that `bytes` were made from while they are on their way to the store and back: until the commit has
   * its answer, when the caller says `forget`. The value belongs to the cache. (A WeakMap, which would forget by itself,
   * makes each collection of garbage longer.)
   */
  expect(bytes: Uint8Array, object: KubeObject): void {
    this.#known.set(bytes, object);
  }

  forget(bytes: Uint8Array): void {
    this.#known.delete(bytes);
  }

  /** Calls `flush` once, after the events that the store is delivering at this moment: writers gather what they have till then. */
  flushLater(flush: () => void): void {
    this.#flushes.add(flush);
    this.#flushSoon();
  }

  [Symbol.dispose](): void {
    this.#stop.abort();
    this.#watch?.[Symbol.dispose]();
  }

  #flushSoon(): void {
    if (this.#flushing || this.#flushes.size === 0) return;
    this.#flushing = true;
    queueMicrotask(() => {
      this.#flushing = false;
      const flushes = [...this.#flushes];
      this.#flushes.clear();
      for (const flush of flushes) flush();
    });
  }
}
