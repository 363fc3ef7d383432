import type { StoreEventBatch } from "../store.ts";
import type { Demand } from "./headroom.ts";
import type { TableWrite } from "./table-writes.ts";

/** What is in the log and not yet in the tables: groups on their way, in order. */
export class PendingWrites {
  readonly writes: TableWrite[] = [];
  pages = 0;
  bytes = 0;
  /** The log's entries up to this one are taken in. */
  sequence: number;
  /** The store's revision with all of it. */
  revision: number;

  constructor(sequence: number, revision: number) {
    this.sequence = sequence;
    this.revision = revision;
  }

  add(writes: readonly TableWrite[], { pages, bytes }: Omit<Demand, "frees">): void {
    for (const write of writes) this.writes.push(write);
    this.pages += pages;
    this.bytes += bytes;
  }
}

/** Transactions that the tables do not hold yet, without gaps. */
export class RecentBatches {
  #batches: StoreEventBatch[] = [];

  add(batches: readonly StoreEventBatch[]): void {
    for (const batch of batches) this.#batches.push(batch);
  }

  /** The transaction of a revision. */
  at(revision: number): StoreEventBatch | undefined {
    const first = this.#batches[0]?.revision;
    return first === undefined ? undefined : this.#batches[revision - first];
  }

  /** At most `limit` transactions from `fromRevision` on. */
  from(fromRevision: number, limit: number): readonly StoreEventBatch[] {
    const start = Math.max(0, fromRevision - (this.#batches[0]?.revision ?? 0));
    return this.#batches.slice(start, start + limit);
  }

  /** Forgets those up to a revision. */
  dropThrough(revision: number): void {
    const first = this.#batches[0]?.revision;
    if (first !== undefined && revision >= first) this.#batches = this.#batches.slice(revision - first + 1);
  }
}
