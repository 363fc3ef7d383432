import type { KubeObject } from "@skiff/api";
import { describeError, type Logger } from "@skiff/base";
import { type EmbeddedStore, type KeyValue, prefixRange, StoreClosedError, type StoreWatch } from "@skiff/store";
import { prefixOfKey, registryPrefix } from "./keys.ts";
import { ResourceCache } from "./resource-cache.ts";

/**
 * Everything that is stored, in memory, one `ResourceCache` a resource, fed by one watch of the store. Since an embedded
 * store calls its watches before it answers a commit, whoever has written reads their own write here.
 */
export class WatchCache implements Disposable {
  readonly #caches = new Map<string, ResourceCache>();
  readonly #known = new Map<Uint8Array, KubeObject>();
  readonly #loadedRevision: number;
  readonly #flushes = new Set<() => void>();
  #watch: StoreWatch | undefined;
  #seenRevision: number;
  #flushing = false;

  private constructor(revision: number) {
    this.#loadedRevision = revision;
    this.#seenRevision = revision;
  }

  /** Reads all that is there and follows the store from then on. */
  static async open(store: EmbeddedStore, logger: Logger): Promise<WatchCache> {
    const { revision, entries } = await store.range(prefixRange(registryPrefix));
    const cache = new WatchCache(revision);
    for (const [prefix, group] of Map.groupBy(entries, ({ key }: KeyValue) => prefixOfKey(key))) {
      cache.of(prefix).load(group);
    }
    cache.#watch = store.watch({
      range: prefixRange(registryPrefix),
      fromRevision: revision + 1,
      onBatch: (batch) => {
        cache.#seenRevision = batch.revision;
        for (const event of batch.events) {
          cache.of(prefixOfKey(event.kind === "put" ? event.current.key : event.key)).apply(event);
        }
        cache.#flushSoon();
      },
      onEnd: (error) => {
        if (!(error instanceof StoreClosedError))
          logger.error(`the watch cache lost its store: ${describeError(error)}`);
      },
    });
    return cache;
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
