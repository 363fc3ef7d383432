/**
 * What the platform asks of a database, in etcd's model and words: one global revision that grows by one with each
 * transaction that writes, keys with their create and mod revision and version, reads at a past revision, watches from
 * a revision without loss, compaction, leases. Three engines keep it (`memory`, `lmdb`, `etcd`) and one
 * conformance suite (`conformance.ts`) holds all of them to it.
 */

/** A key with its value as it is at some revision. */
export interface KeyValue {
  readonly key: string;
  /** Bytes that nobody may change: engines hand out what they hold. */
  readonly value: Uint8Array;
  /** The revision that created the key (this life of it). */
  readonly createRevision: number;
  /** The revision that last wrote it. */
  readonly modRevision: number;
  /** 1 when created, one more with each write. */
  readonly version: number;
  /** The lease that removes it when it ends, where it has one. */
  readonly lease: LeaseId | undefined;
}

/** Names a lease; never 0. */
export type LeaseId = number;

/** What must hold for a commit to happen: the key's mod revision, 0 meaning that it does not exist. */
export interface Comparison {
  readonly key: string;
  readonly modRevision: number;
}

/** One write of a transaction. Each key at most once a transaction. */
export type Operation =
  | { readonly kind: "put"; readonly key: string; readonly value: Uint8Array; readonly lease?: LeaseId }
  | { readonly kind: "delete"; readonly key: string };

export interface Transaction {
  /** All must hold, or nothing is written. */
  readonly compare: readonly Comparison[];
  readonly operations: readonly Operation[];
}

export type CommitResult =
  /** Durable. `revision` is the transaction's; a transaction that changed nothing (deletes of absent keys) gives the current one. */
  | { readonly kind: "committed"; readonly revision: number }
  /** Nothing was written: these keys were not at the revision compared with; their present state, absent ones left out. */
  | { readonly kind: "conflict"; readonly revision: number; readonly current: readonly KeyValue[] };

/** Keys from `start` up to, not including, `end`, in order of their UTF-8 bytes. */
export interface Range {
  readonly start: string;
  readonly end: string;
}

export interface RangeOptions {
  /** Read as of this revision; the current one where absent. Throws `CompactedError` or `FutureRevisionError`. */
  readonly revision?: number;
  /** At most so many entries; 0 or absent means all. */
  readonly limit?: number;
  /** Count, but give no entries. */
  readonly countOnly?: boolean;
}

export interface RangeResult {
  /** The store's current revision when it answered (not the one asked for). */
  readonly revision: number;
  readonly entries: readonly KeyValue[];
  /** How many keys the whole range holds at that revision, whatever the limit. */
  readonly count: number;
}

/**
 * One key's change. `previous` is its state before: absent for a key that was created. Its value is to be read while the
 * event is being delivered: engines may keep it where it is until then.
 */
export type StoreEvent =
  | { readonly kind: "put"; readonly current: KeyValue; readonly previous: KeyValue | undefined }
  | { readonly kind: "delete"; readonly key: string; readonly modRevision: number; readonly previous: KeyValue };

/** All changes that one transaction made within the watched range, in the order of its operations. */
export interface StoreEventBatch {
  readonly revision: number;
  readonly events: readonly StoreEvent[];
}

export interface WatchOptions {
  readonly range: Range;
  /** First revision wanted, 1 or more. Throws `CompactedError` when history no longer reaches it; a future one waits for it. */
  readonly fromRevision: number;
  /**
   * Called for each batch, in order of revision, without loss or repetition, never concurrently. Past batches come
   * first, live ones follow without a seam. Must not throw and must not block.
   */
  readonly onBatch: (batch: StoreEventBatch) => void;
  /**
   * Called once if the engine has to break the watch off: compaction overtook it, the connection to the engine is lost
   * for good, or the store was closed under it (`StoreClosedError`).
   */
  readonly onEnd: (error: StoreError) => void;
}

/** Dispose of it to stop the watch: no callback comes after that. */
export interface StoreWatch extends Disposable {
  /** Everything up to and including this revision has been delivered. */
  readonly deliveredRevision: number;
}

export interface Lease {
  readonly id: LeaseId;
  /** How long it lives without being kept alive. */
  readonly ttlMs: number;
}

/**
 * The database. All methods may be called concurrently. After `close` every call throws `StoreClosedError`.
 *
 * Promise of order: when `commit` resolves, every live watch of this store (this object) has been called with the events of
 * the commit, or, after a conflict, with those that made it; so what follows a watch shows a caller its own writes. Only
 * while the connection to a remote engine is broken is the answer given without.
 */
export interface Store extends AsyncDisposable {
  /**
   * The revision of the newest transaction that reads can see; of a remote engine, the newest heard of. An empty store is
   * at revision 1.
   */
  readonly revision: number;
  /** The oldest revision that can still be read or watched from; 1 when nothing was compacted. */
  readonly compactedRevision: number;
  /** One key as it is now. Synchronous where an engine can (`memory`, `lmdb`), since it is the hottest read. */
  get(key: string): KeyValue | undefined | Promise<KeyValue | undefined>;
  range(range: Range, options?: RangeOptions): Promise<RangeResult>;
  /** Atomic and, once resolved, durable. Rejects with `ReadOnlyError` when the engine cannot write (disk full). */
  commit(transaction: Transaction): Promise<CommitResult>;
  watch(options: WatchOptions): StoreWatch;
  /** Whether others may write to it, too. Where nobody does, there is nothing to `sync`. */
  readonly isShared: boolean;
  /**
   * Resolves when every live watch of this store has been called with all that anybody had committed when this was called.
   * Throws `StoreUnavailableError` when that takes too long.
   */
  sync(): Promise<void>;
  /**
   * Forgets history before `revision`: reads and watches from earlier revisions then throw `CompactedError`. Does nothing
   * when that has happened already; throws `FutureRevisionError` beyond the current revision.
   */
  compact(revision: number): Promise<void>;
  grantLease(ttlMs: number): Promise<Lease>;
  /** Starts the lease's time anew. Throws `LeaseNotFoundError`. */
  keepLeaseAlive(id: LeaseId): Promise<void>;
  /** Ends the lease and deletes its keys, in one transaction. */
  revokeLease(id: LeaseId): Promise<void>;
}

/** A store inside this process, whose newest state is at hand at once. */
export interface EmbeddedStore extends Store {
  get(key: string): KeyValue | undefined;
  /**
   * Writes a consistent copy of everything to an empty or absent folder, in the format of the `lmdb` engine; opening the
   * folder gives the same store.
   */
  snapshot(folder: string): Promise<void>;
}

/** A key may have so many bytes of UTF-8, at most. */
export const maximumKeyBytes = 1900;

/** A transaction may write so many keys, at most. */
export const maximumOperations = 65_535;

/** An operating failure of the store. `code` tells which. */
export abstract class StoreError extends Error {
  abstract readonly code: string;
}

/** History before `compactedRevision` is gone. */
export class CompactedError extends StoreError {
  override name = "CompactedError";
  readonly code = "COMPACTED";
  readonly compactedRevision: number;
  constructor(compactedRevision: number) {
    super(`required revision has been compacted: history starts at ${compactedRevision}`);
    this.compactedRevision = compactedRevision;
  }
}

/** A read at a revision that does not exist yet. */
export class FutureRevisionError extends StoreError {
  override name = "FutureRevisionError";
  readonly code = "FUTURE_REVISION";
}

export class LeaseNotFoundError extends StoreError {
  override name = "LeaseNotFoundError";
  readonly code = "LEASE_NOT_FOUND";
}

/** The engine holds what it has but takes no more: the disk is full or failing. Reads and watches still work. */
export class ReadOnlyError extends StoreError {
  override name = "ReadOnlyError";
  readonly code = "READ_ONLY";
}

/** A remote engine does not answer, or not in time. What was to be committed may have been, or not. */
export class StoreUnavailableError extends StoreError {
  override name = "StoreUnavailableError";
  readonly code = "UNAVAILABLE";
}

/** The files are damaged or not ours: refuse to start, touch nothing. */
export class CorruptStoreError extends StoreError {
  override name = "CorruptStoreError";
  readonly code = "CORRUPT";
}

/** The call itself is wrong: an empty or oversized key, a key written twice in a transaction, a revision below 1. */
export class InvalidRequestError extends StoreError {
  override name = "InvalidRequestError";
  readonly code = "INVALID";
}

/** Another process (or another part of this one) has the store open. */
export class StoreLockedError extends StoreError {
  override name = "StoreLockedError";
  readonly code = "LOCKED";
}

export class StoreClosedError extends StoreError {
  override name = "StoreClosedError";
  readonly code = "CLOSED";
}

/** The range of all keys that begin with `prefix`. */
export function prefixRange(prefix: string): Range {
  // U+10FFFF is above every character a key may hold, in UTF-8 order as in code points.
  return { start: prefix, end: `${prefix}\u{10FFFF}` };
}

/** The range that holds just `key`. */
export const keyRange = (key: string): Range => ({ start: key, end: `${key}\0` });
