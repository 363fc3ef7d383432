import type { KubeObject } from "@skiff/api";
import type { KeyValue, StoreEvent } from "@skiff/store";
import type { CacheEvent } from "./cache-event.ts";
import { EventRing } from "./event-ring.ts";
import { ServedObject } from "./served-object.ts";

/** Hears of every change of a resource, in order of revision. Must not throw. */
export type CacheListener = (event: CacheEvent) => void;

/** An object's state and its key. */
export interface CachedObject {
  readonly key: string;
  readonly served: ServedObject;
}

/** All objects of one stored resource, as they are now, ordered by key. */
export class ResourceCache {
  readonly #byKey = new Map<string, ServedObject>();
  #keys: string[] = [];
  readonly #ring: EventRing;
  readonly #listeners = new Set<CacheListener>();
  /** Values on their way to the store, by their bytes: they need not be parsed when they come back as events. */
  readonly #known: ReadonlyMap<Uint8Array, KubeObject>;
  #lastRevision: number;

  /** `floor`: the revision up to which changes come as `load`, not as `apply`. */
  constructor(floor: number, known: ReadonlyMap<Uint8Array, KubeObject>) {
    this.#ring = new EventRing(floor);
    this.#known = known;
    this.#lastRevision = floor;
  }

  get size(): number {
    return this.#keys.length;
  }

  /** Nothing changed after this revision: objects read now are as they were at any later one. */
  get lastRevision(): number {
    return this.#lastRevision;
  }

  get ring(): EventRing {
    return this.#ring;
  }

  get(key: string): ServedObject | undefined {
    return this.#byKey.get(key);
  }

  /** Objects whose keys begin with `prefix`, from `start` (a key) on, in order. */
  *from(prefix: string, start: string): Generator<CachedObject> {
    for (let at = lowerBound(this.#keys, start); at < this.#keys.length; at++) {
      const key = this.#keys[at];
      if (key === undefined || !key.startsWith(prefix)) return;
      const served = this.#byKey.get(key);
      if (served !== undefined) yield { key, served };
    }
  }

  /** How many keys that begin with `prefix` there are from `start` on. */
  countFrom(prefix: string, start: string): number {
    return lowerBound(this.#keys, `${prefix}\u{10FFFF}`) - lowerBound(this.#keys, start);
  }

  /** Dispose of it to hear no more. */
  listen(listener: CacheListener): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  /** Takes over the objects that are there at the start, in order of their keys. */
  load(entries: Iterable<KeyValue>): void {
    for (const { key, value, modRevision } of entries) {
      this.#byKey.set(key, ServedObject.fromStored(value, modRevision));
      this.#keys.push(key);
      this.#lastRevision = Math.max(this.#lastRevision, modRevision);
    }
    this.#keys.sort(byText);
  }

  /**
   * Takes over what is there after a gap, as the events that lead there: `entries` are all objects as of `revision`. What
   * happened to an object in between is told as its last change; one that came after another of its name, as both.
   */
  reload(entries: readonly KeyValue[], revision: number): void {
    const present = new Map(entries.map((entry) => [entry.key, entry]));
    const events: StoreEvent[] = [];
    const gone = (key: string, modRevision: number, served: ServedObject) => {
      const state = { key, value: served.json, modRevision: served.revision };
      const previous = { ...state, createRevision: served.revision, version: 1, lease: undefined };
      events.push({ kind: "delete", key, modRevision, previous });
    };
    for (const [key, served] of this.#byKey) {
      const entry = present.get(key);
      if (entry === undefined) gone(key, revision, served);
      else if (entry.createRevision > served.revision) gone(key, entry.createRevision - 1, served);
    }
    for (const entry of entries) {
      const known = this.#byKey.get(entry.key);
      if (known?.revision !== entry.modRevision) events.push({ kind: "put", current: entry, previous: undefined });
    }
    events.sort((a, b) => revisionOf(a) - revisionOf(b));
    for (const event of events) this.apply(event);
  }

  /** Follows the store. */
  apply(event: StoreEvent): void {
    const made = this.#follow(event);
    this.#lastRevision = made.revision;
    this.#ring.add(made);
    for (const listener of this.#listeners) listener(made);
  }

  #follow(event: StoreEvent): CacheEvent {
    if (event.kind === "delete") {
      const { key, modRevision: revision } = event;
      const previous = this.#byKey.get(key);
      this.#byKey.delete(key);
      const at = lowerBound(this.#keys, key);
      if (this.#keys[at] === key) this.#keys.splice(at, 1);
      return { key, revision, previous, current: undefined };
    }
    const { key, value, modRevision: revision } = event.current;
    const previous = this.#byKey.get(key);
    const current = ServedObject.fromStored(value, revision, this.#known.get(value));
    if (previous === undefined) this.#keys.splice(lowerBound(this.#keys, key), 0, key);
    this.#byKey.set(key, current);
    return { key, revision, previous, current };
  }
}

const revisionOf = (event: StoreEvent): number =>
  event.kind === "put" ? event.current.modRevision : event.modRevision;

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function lowerBound(keys: readonly string[], wanted: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((keys[middle] ?? "") < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}
