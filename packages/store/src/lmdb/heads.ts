import type { KeyValue, LeaseId, StoreEventBatch } from "../store.ts";

/** What there is to know of a key's present state besides its value. */
export type Head = Omit<KeyValue, "key" | "value">;

/** Keys that changed lately, at least so many of them, and at most twice as many. */
const generationKeys = 16_384;

/**
 * The heads of the keys that changed last: who changes a key again needs no look into the tables. Bounded by two generations;
 * what is in neither was not changed for long and is found in the tables.
 */
export class Heads {
  #young = new Map<string, Head>();
  #old = new Map<string, Head>();

  get(key: string): Head | undefined {
    return this.#young.get(key) ?? this.#old.get(key);
  }

  /** Takes in transactions that have been written. */
  follow(batches: readonly StoreEventBatch[]): void {
    for (const { events } of batches) {
      for (const event of events) {
        if (event.kind === "put") this.#set(event.current);
        else this.#delete(event.key);
      }
    }
  }

  #set({ key, createRevision, modRevision, version, lease }: KeyValue): void {
    if (this.#young.size >= generationKeys) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, { createRevision, modRevision, version, lease });
  }

  #delete(key: string): void {
    this.#young.delete(key);
    this.#old.delete(key);
  }
}

/** An entry whose value is read when it is first asked for: most are not. */
export class DeferredEntry implements KeyValue {
  readonly key: string;
  readonly createRevision: number;
  readonly modRevision: number;
  readonly version: number;
  readonly lease: LeaseId | undefined;
  readonly #read: () => Uint8Array;
  #value: Uint8Array | undefined;

  constructor(key: string, { createRevision, modRevision, version, lease }: Head, read: () => Uint8Array) {
    this.key = key;
    this.createRevision = createRevision;
    this.modRevision = modRevision;
    this.version = version;
    this.lease = lease;
    this.#read = read;
  }

  /** Throws `CorruptStoreError` when it cannot be read. */
  get value(): Uint8Array {
    this.#value ??= this.#read();
    return this.#value;
  }
}
