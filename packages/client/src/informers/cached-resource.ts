import { isExpired, type KubeObject, type ResourceDefinition, StatusError, type WatchEvent } from "@skiff/api";
import {
  abortable,
  type BackoffPolicy,
  backoffDelayMs,
  type Clock,
  deepFreeze,
  describeError,
  isAbort,
  type Logger,
  type Random,
} from "@skiff/base";
import type { Client } from "../client.ts";
import type { CacheChange, Informer } from "../informer.ts";
import { keyOf, ObjectStore } from "./object-store.ts";

/** What a cache is restricted to. */
export interface CacheFilter {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

export interface CacheOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

const retryPolicy: BackoffPolicy = { initialMs: 100, maxMs: 30_000 };
/** A watch that held at least this long was not a failure. */
const healthyWatchMs = 1_000;

/** One resource's informer: `run` keeps it current until its signal is aborted. */
export class CachedResource<T extends KubeObject> implements Informer<T> {
  readonly resource: ResourceDefinition<T>;
  readonly #filter: CacheFilter;
  readonly #options: CacheOptions;
  readonly #store = new ObjectStore<T>();
  readonly #listeners = new Set<(change: CacheChange<T>) => void>();
  readonly #revisionListeners = new Set<() => void>();
  #listed = Promise.withResolvers<void>();
  #synced = false;
  /** The list that is there is not new enough for somebody. */
  #listAgain = false;
  /** Aborted to have the list read anew. */
  #turn = new AbortController();
  #revision = 0;
  /** Where the next watch starts; `undefined`: list first. */
  #resumeFrom: string | undefined;
  #failures = 0;

  constructor(resource: ResourceDefinition<T>, filter: CacheFilter, options: CacheOptions) {
    this.resource = resource;
    this.#filter = filter;
    this.#options = options;
  }

  get synced(): boolean {
    return this.#synced;
  }

  get revision(): number {
    return this.#revision;
  }

  whenSynced(signal: AbortSignal): Promise<void> {
    return abortable(this.#listed.promise, signal);
  }

  renew(): void {
    this.#listAgain = true;
    if (this.#synced) this.#listed = Promise.withResolvers();
    this.#synced = false;
    this.#turn.abort();
  }

  get(name: string, namespace?: string): T | undefined {
    return this.#store.get(keyOf({ name, namespace }));
  }

  list(namespace?: string): readonly T[] {
    return this.#store.list(namespace);
  }

  byIndex(index: string, value: string): readonly T[] {
    return this.#store.byIndex(index, value);
  }

  addIndex(index: string, values: (object: T) => readonly string[]): void {
    this.#store.addIndex(index, values);
  }

  onChange(listener: (change: CacheChange<T>) => void): Disposable {
    // A function of its own, so that one listener may be added twice.
    const own = (change: CacheChange<T>) => listener(change);
    for (const object of this.#store.list(undefined)) this.#tell(own, { kind: "added", object });
    this.#listeners.add(own);
    return { [Symbol.dispose]: () => void this.#listeners.delete(own) };
  }

  onRevision(listener: () => void): Disposable {
    const own = () => listener();
    this.#revisionListeners.add(own);
    return { [Symbol.dispose]: () => void this.#revisionListeners.delete(own) };
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, random, logger } = this.#options;
    while (!signal.aborted) {
      const startMs = clock.monotonic();
      const turn = new AbortController();
      this.#turn = turn;
      const whole = AbortSignal.any([signal, turn.signal]);
      try {
        if (this.#resumeFrom === undefined || this.#listAgain) await this.#relist(whole);
        await this.#follow(whole);
      } catch (error) {
        if (signal.aborted) return;
        if (turn.signal.aborted) continue;
        if (isAbort(error, signal)) return;
        if (isExpired(error)) this.#resumeFrom = undefined;
        else logger.debug(`cannot follow ${this.resource.plural}: ${describeError(error)}`);
      }
      if (turn.signal.aborted) continue;
      this.#failures = clock.monotonic() - startMs >= healthyWatchMs ? 0 : this.#failures + 1;
      if (this.#failures === 0) continue;
      const delayMs = backoffDelayMs(retryPolicy, this.#failures) * (1 + random.next());
      await clock.sleep(delayMs, whole).catch(() => {});
    }
  }

  async #relist(signal: AbortSignal): Promise<void> {
    this.#listAgain = false;
    const list = await this.#options.client.list(this.resource, { ...this.#filter, signal }).catch((error: unknown) => {
      this.#listAgain = true;
      throw error;
    });
    const gone = new Set(this.#store.keys());
    for (const object of list.items) {
      gone.delete(keyOf(object.metadata));
      this.#put(object);
    }
    for (const key of gone) this.#remove(key);
    this.#see(list.metadata.resourceVersion);
    if (this.#listAgain) return;
    this.#synced = true;
    this.#listed.resolve();
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const { client } = this.#options;
    const from = this.#resumeFrom === undefined ? {} : { resourceVersion: this.#resumeFrom };
    for await (const event of client.watch(this.resource, { ...this.#filter, ...from, signal })) this.#apply(event);
  }

  #apply(event: WatchEvent<T>): void {
    switch (event.type) {
      case "ADDED":
      case "MODIFIED":
        this.#put(event.object);
        break;
      case "DELETED":
        this.#remove(keyOf(event.object.metadata), event.object);
        break;
      case "BOOKMARK":
        break;
      case "ERROR":
        throw new StatusError(event.object);
    }
    this.#see(event.object.metadata.resourceVersion);
  }

  #see(resourceVersion: string | undefined): void {
    if (resourceVersion === undefined) return;
    this.#resumeFrom = resourceVersion;
    const revision = Number(resourceVersion);
    if (revision > this.#revision) this.#revision = revision;
    // Changes have moved the revision already when they were announced: now all of them have been heard.
    if (this.#revisionListeners.size > 0) for (const listener of [...this.#revisionListeners]) listener();
  }

  #put(object: T): void {
    // The same object again: a relist, or a watch that resumed a little early.
    const known = this.#store.get(keyOf(object.metadata));
    if (known !== undefined && known.metadata.resourceVersion === object.metadata.resourceVersion) return;
    deepFreeze(object);
    const revision = Number(object.metadata.resourceVersion);
    if (revision > this.#revision) this.#revision = revision;
    const old = this.#store.put(object);
    if (old !== undefined && old.metadata.uid !== object.metadata.uid) {
      // Deleted and made anew while nobody looked: two changes, not one.
      this.#announce({ kind: "deleted", object: old });
      this.#announce({ kind: "added", object });
    } else this.#announce(old === undefined ? { kind: "added", object } : { kind: "updated", object, old });
  }

  #remove(key: string, last?: T): void {
    const old = this.#store.remove(key);
    if (old === undefined) return;
    if (last !== undefined) {
      const revision = Number(last.metadata.resourceVersion);
      if (revision > this.#revision) this.#revision = revision;
    }
    this.#announce({ kind: "deleted", object: last === undefined ? old : deepFreeze(last) });
  }

  #announce(change: CacheChange<T>): void {
    for (const listener of [...this.#listeners]) this.#tell(listener, change);
  }

  #tell(listener: (change: CacheChange<T>) => void, change: CacheChange<T>): void {
    try {
      listener(change);
    } catch (error) {
      this.#options.logger.error(`a listener to ${this.resource.plural} failed: ${describeError(error)}`, { error });
    }
  }
}
