import type { Storage, StoredLease, WriteGroup } from "../embedded/storage.ts";
import type { KeyValue, LeaseId, Range, StoreEventBatch } from "../store.ts";
import { SortedMap } from "./sorted-map.ts";

/** State that lives as long as the process: the newest entries, and the transactions since the compacted revision. */
export class MemoryStorage implements Storage {
  revision = 1;
  compactedRevision = 1;
  lastLeaseId: LeaseId = 0;
  readonly upkeepDue = false;
  readonly #entries = new SortedMap();
  /** Transactions by revision: the one of `#firstRevision` comes first, and there are no gaps. */
  #history: StoreEventBatch[] = [];
  #firstRevision = 2;
  readonly #leases = new Map<LeaseId, number>();
  readonly #snapshot: (storage: Storage, folder: string) => Promise<void>;

  /** `snapshot` writes a storage's whole content to a folder. */
  constructor(options: { readonly snapshot: (storage: Storage, folder: string) => Promise<void> }) {
    this.#snapshot = options.snapshot;
  }

  get leases(): readonly StoredLease[] {
    return [...this.#leases].map(([id, ttlMs]) => ({ id, ttlMs, keys: [] }));
  }

  get(key: string): KeyValue | undefined {
    return this.#entries.get(key);
  }

  peek(key: string): KeyValue | undefined {
    return this.#entries.get(key);
  }

  entries(range: Range): Iterable<KeyValue> {
    return this.#entries.range(range);
  }

  count(range: Range): number {
    return this.#entries.count(range);
  }

  changes(fromRevision: number, limit: number): readonly StoreEventBatch[] {
    const start = Math.max(0, fromRevision - this.#firstRevision);
    return this.#history.slice(start, start + limit);
  }

  write({ batches, grantedLeases, endedLeases, compactedRevision }: WriteGroup): undefined {
    for (const batch of batches) {
      for (const event of batch.events) {
        if (event.kind === "put") this.#entries.set(event.current);
        else this.#entries.delete(event.key);
      }
      this.#history.push(batch);
      this.revision = batch.revision;
    }
    for (const { id, ttlMs } of grantedLeases) {
      this.#leases.set(id, ttlMs);
      this.lastLeaseId = Math.max(this.lastLeaseId, id);
    }
    for (const id of endedLeases) this.#leases.delete(id);
    if (compactedRevision === undefined) return;
    this.compactedRevision = compactedRevision;
    this.#history = this.#history.slice(Math.max(0, compactedRevision - this.#firstRevision));
    this.#firstRevision = Math.max(this.#firstRevision, compactedRevision);
  }

  async upkeep(): Promise<void> {}

  async snapshot(folder: string): Promise<void> {
    await this.#snapshot(this, folder);
  }

  async close(): Promise<void> {}
}
