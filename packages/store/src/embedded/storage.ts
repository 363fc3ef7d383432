import type { KeyValue, LeaseId, Range, StoreEventBatch } from "../store.ts";

/** A lease as it is kept, with the keys it removes at its end. */
export interface StoredLease {
  readonly id: LeaseId;
  readonly ttlMs: number;
  readonly keys: readonly string[];
}

/** What one durable write consists of: any number of transactions and lease changes, all or nothing. */
export interface WriteGroup {
  /** In order of revision, without gaps, the first one following the storage's revision. */
  readonly batches: readonly StoreEventBatch[];
  readonly grantedLeases: readonly { readonly id: LeaseId; readonly ttlMs: number }[];
  readonly endedLeases: readonly LeaseId[];
  /** The new oldest revision, where the group compacts. */
  readonly compactedRevision: number | undefined;
}

/**
 * What differs between the engines that live in this process: where the state is kept. Everything else (deciding
 * transactions, grouping them, watches, leases) is `EmbeddedEngine`'s. All reads show the state after the last `write`
 * that has completed, never one that is under way, and are synchronous: an iterable must be used up before the caller
 * lets go of the event loop.
 */
export interface Storage {
  readonly revision: number;
  readonly compactedRevision: number;
  /** The highest lease ID ever granted; 0 at first. */
  readonly lastLeaseId: LeaseId;
  /** The leases as they were when the storage was opened. */
  readonly leases: readonly StoredLease[];
  get(key: string): KeyValue | undefined;
  /**
   * As `get`, for those who mostly do without the value: it may be read only when it is asked for, which must not be later
   * than history reaches back to the entry.
   */
  peek(key: string): KeyValue | undefined;
  /** The entries of a range, in order of their keys' UTF-8 bytes. */
  entries(range: Range): Iterable<KeyValue>;
  count(range: Range): number;
  /** The first transactions at or after `fromRevision` (not compacted), at most `limit` of them. */
  changes(fromRevision: number, limit: number): readonly StoreEventBatch[];
  /**
   * Makes a group durable; by the time it returns or resolves, reads show it. Throws `ReadOnlyError` when it cannot, and
   * has then changed nothing. Never called while an earlier call is under way.
   */
  write(group: WriteGroup): Promise<void> | undefined;
  /** True when something waits to be tidied: compacted history takes up room, or opening would have much to repeat. */
  readonly upkeepDue: boolean;
  /** Does some of it: a step that is short enough to come between two groups. Called as `write` is. */
  upkeep(): Promise<void>;
  /** Writes everything to an empty or absent folder. */
  snapshot(folder: string): Promise<void>;
  close(): Promise<void>;
}
