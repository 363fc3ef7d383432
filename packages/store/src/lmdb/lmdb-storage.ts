import type { Base } from "../embedded/base-of.ts";
import type { Storage, StoredLease, WriteGroup } from "../embedded/storage.ts";
import {
  CorruptStoreError,
  type KeyValue,
  type LeaseId,
  type Range,
  ReadOnlyError,
  type StoreEvent,
  type StoreEventBatch,
} from "../store.ts";
import { type Demand, type Headroom, pagesPerChange } from "./headroom.ts";
import { LiveIndex } from "./live-index.ts";
import {
  decodeNumber,
  decodeNumberedKey,
  decodeRecord,
  encodeNumber,
  encodeNumberedKey,
  encodeRecord,
  type VersionRecord,
} from "./records.ts";
import { metaKeys, type ReadOptions, type Tables } from "./tables.ts";

/** How much garbage one step removes, and how much history one reading brings: bounded, since other work waits for it. */
const garbageRevisions = 500;
const changesBytes = 4 * 1024 * 1024;
/** The index is written when so much has been committed since: what opening has to read again, at most. */
const indexRevisions = 2048;
const indexBytes = 4 * 1024 * 1024;

/**
 * State in an LMDB file (the tables are described in `records.ts`). One `write` is one LMDB transaction, made by LMDB's own
 * thread while this one goes on; reads use a snapshot that is renewed when a write has completed, so that they never run
 * ahead of it.
 */
export class LmdbStorage implements Storage {
  revision: number;
  compactedRevision: number;
  lastLeaseId: LeaseId;
  readonly leases: readonly StoredLease[];
  #collectedRevision: number;
  /** The table `live` is as of this revision. */
  #indexedRevision: number;
  /** How much has been written since. */
  #unindexedBytes = 0;
  readonly #tables: Tables;
  readonly #index: LiveIndex;
  #view: ReadOptions;
  readonly #headroom: Headroom;
  readonly #snapshot: (tables: Tables, folder: string) => Promise<void>;
  readonly #release: () => void;

  /** `headroom` is that of the tables' file; `snapshot` copies the tables to a folder; `release` is called when everything is closed. */
  constructor(
    tables: Tables,
    options: {
      readonly headroom: Headroom;
      readonly snapshot: (tables: Tables, folder: string) => Promise<void>;
      readonly release: () => void;
    },
  ) {
    this.#tables = tables;
    this.#index = new LiveIndex(tables.live);
    this.#headroom = options.headroom;
    this.#snapshot = options.snapshot;
    this.#release = options.release;
    this.#view = { transaction: tables.root.useReadTransaction() };
    this.compactedRevision = this.#metaNumber(metaKeys.compacted) ?? 1;
    this.#collectedRevision = this.#metaNumber(metaKeys.collected) ?? 1;
    this.lastLeaseId = this.#metaNumber(metaKeys.lastLease) ?? 0;
    this.revision = 1;
    for (const key of tables.versions.getKeys({ reverse: true, limit: 1, ...this.#view })) {
      this.revision = decodeNumber(key);
    }
    if (this.revision < this.compactedRevision)
      throw new CorruptStoreError("the store is damaged: its newest revisions are missing");
    this.#indexedRevision = this.#metaNumber(metaKeys.indexed) ?? 1;
    this.#replay();
    this.leases = this.#readLeases();
  }

  get upkeepDue(): boolean {
    return this.#indexDue || this.#collectedRevision < this.compactedRevision;
  }

  get #indexDue(): boolean {
    return this.revision - this.#indexedRevision >= indexRevisions || this.#unindexedBytes >= indexBytes;
  }

  get(key: string): KeyValue | undefined {
    const revision = this.#index.get(key, this.#view);
    return revision === undefined ? undefined : this.#version(revision, key).entry;
  }

  *entries(range: Range): Generator<KeyValue> {
    for (const { key, revision } of this.#index.range(range, this.#view)) yield this.#version(revision, key).entry;
  }

  count(range: Range): number {
    return this.#index.count(range, this.#view);
  }

  changes(fromRevision: number, limit: number): readonly StoreEventBatch[] {
    const batches: StoreEventBatch[] = [];
    let records: VersionRecord[] = [];
    let revision = 0;
    let bytes = 0;
    const finish = () => {
      if (records.length > 0) batches.push({ revision, events: this.#events(records) });
      records = [];
    };
    for (const { key, value } of this.#tables.versions.getRange({ start: encodeNumber(fromRevision), ...this.#view })) {
      const next = decodeNumber(key);
      if (next !== revision) {
        finish();
        if (batches.length === limit || bytes > changesBytes) return batches;
        revision = next;
      }
      bytes += value.length;
      records.push(decodeRecord(decodeNumberedKey(key), revision, value));
    }
    finish();
    return batches;
  }

  async write(group: WriteGroup): Promise<void> {
    const demand = demandOf(group);
    await this.#writeBatch(demand, () => {
      for (const batch of group.batches) this.#putBatch(batch);
      this.#putLeases(group);
      if (group.compactedRevision !== undefined) {
        void this.#tables.meta.put(metaKeys.compacted, encodeNumber(group.compactedRevision));
      }
    });
    this.revision = group.batches.at(-1)?.revision ?? this.revision;
    this.compactedRevision = group.compactedRevision ?? this.compactedRevision;
    for (const { id } of group.grantedLeases) this.lastLeaseId = Math.max(this.lastLeaseId, id);
    this.#index.follow(group.batches);
    this.#unindexedBytes += demand.bytes;
    this.#renewView();
  }

  async upkeep(): Promise<void> {
    const end = Math.min(this.compactedRevision, this.#collectedRevision + garbageRevisions);
    // What opening still has to repeat must not be removed.
    if (end > this.#indexedRevision + 1) await this.#writeIndex({ frees: true });
    else if (this.#indexDue) await this.#writeIndex({ frees: false });
    else if (end > this.#collectedRevision) await this.#collectGarbage(end);
  }

  /**
   * A change before the compacted revision makes the state that it replaced unreadable; a deletion leaves nothing behind
   * at all. What is still current stays, however old it is.
   */
  async #collectGarbage(end: number): Promise<void> {
    const { versions, meta } = this.#tables;
    const start = this.#collectedRevision;
    const garbage: Buffer[] = [];
    const range = { start: encodeNumber(start), end: encodeNumber(end), ...this.#view };
    for (const { key, value } of versions.getRange(range)) {
      const name = decodeNumberedKey(key);
      const { kind, previousRevision } = decodeRecord(name, decodeNumber(key), value);
      if (previousRevision > 0) garbage.push(encodeNumberedKey(previousRevision, name));
      if (kind === "delete") garbage.push(Buffer.from(key));
    }
    await this.#writeBatch({ pages: garbage.length * pagesPerChange, bytes: 0, frees: true }, () => {
      for (const key of garbage) void versions.remove(key);
      void meta.put(metaKeys.collected, encodeNumber(end));
    });
    this.#collectedRevision = end;
    this.#renewView();
  }

  /** Fills an empty storage; `write` then goes on from `compactedRevision`. */
  async fill({ entries, compactedRevision, leases, lastLeaseId }: Base): Promise<void> {
    const { live, versions, meta, leaseKeys } = this.#tables;
    const bytes = entries.reduce((sum, entry) => sum + sizeOf(entry), 0);
    const pages = (entries.length + leases.length) * pagesPerChange;
    await this.#writeBatch({ pages, bytes, frees: false }, () => {
      for (const entry of entries) {
        const record = { kind: "put", index: 0, previousRevision: 0, entry } as const;
        void versions.put(encodeNumberedKey(entry.modRevision, entry.key), encodeRecord(record));
        void live.put(Buffer.from(entry.key), encodeNumber(entry.modRevision));
        if (entry.lease !== undefined) void leaseKeys.put(encodeNumberedKey(entry.lease, entry.key), Buffer.of(1));
      }
      this.#putLeases({ grantedLeases: leases, endedLeases: [] });
      for (const name of [metaKeys.compacted, metaKeys.collected]) void meta.put(name, encodeNumber(compactedRevision));
      void meta.put(metaKeys.indexed, encodeNumber(compactedRevision - 1));
      void meta.put(metaKeys.lastLease, encodeNumber(lastLeaseId));
    });
    this.#renewView();
  }

  snapshot(folder: string): Promise<void> {
    return this.#snapshot(this.#tables, folder);
  }

  async close(): Promise<void> {
    // Without room for it, the next opening has more to do.
    if (this.#index.changes > 0) await this.#writeIndex({ frees: false }).catch(() => {});
    this.#view.transaction.done();
    await this.#tables.root.close();
    this.#headroom[Symbol.dispose]();
    this.#release();
  }

  #putBatch({ revision, events }: StoreEventBatch): void {
    const { versions, leaseKeys } = this.#tables;
    let index = 0;
    const records: { readonly key: Buffer; readonly record: Buffer }[] = [];
    for (const event of events) {
      const { previous } = event;
      const key = event.kind === "put" ? event.current.key : event.key;
      const entry = event.kind === "put" ? event.current : tombstone(event);
      const record = encodeRecord({
        kind: event.kind,
        index: index++,
        previousRevision: previous?.modRevision ?? 0,
        entry,
      });
      records.push({ key: encodeNumberedKey(revision, key), record });
      if (previous?.lease === entry.lease) continue;
      if (previous?.lease !== undefined) void leaseKeys.remove(encodeNumberedKey(previous.lease, key));
      if (entry.lease !== undefined) void leaseKeys.put(encodeNumberedKey(entry.lease, key), Buffer.of(1));
    }
    // Each goes to the table's end, which LMDB does cheaply and without leaving room in its pages, but only in order.
    if (records.length > 1) records.sort((a, b) => Buffer.compare(a.key, b.key));
    for (const { key, record } of records) void versions.put(key, record, atTheEnd);
  }

  #putLeases({ grantedLeases, endedLeases }: Pick<WriteGroup, "grantedLeases" | "endedLeases">): void {
    const { leases, meta } = this.#tables;
    for (const { id, ttlMs } of grantedLeases) {
      void leases.put(encodeNumber(id), encodeNumber(ttlMs));
      void meta.put(metaKeys.lastLease, encodeNumber(id));
    }
    for (const id of endedLeases) void leases.remove(encodeNumber(id));
  }

  /** Brings the table `live` up to date. */
  async #writeIndex({ frees }: Pick<Demand, "frees">): Promise<void> {
    const { revision } = this;
    await this.#writeBatch({ ...this.#index.demand(), frees }, () => {
      this.#index.write();
      void this.#tables.meta.put(metaKeys.indexed, encodeNumber(revision));
    });
    this.#index.written();
    this.#indexedRevision = revision;
    this.#unindexedBytes = 0;
    this.#renewView();
  }

  /** Finds out what has changed since the table `live` was written. */
  #replay(): void {
    const start = encodeNumber(this.#indexedRevision + 1);
    for (const { key, value } of this.#tables.versions.getRange({ start, ...this.#view })) {
      const revision = decodeNumber(key);
      const name = decodeNumberedKey(key);
      this.#unindexedBytes += value.length;
      try {
        this.#index.replay(decodeRecord(name, revision, value));
      } catch (error) {
        if (!(error instanceof CorruptStoreError)) throw error;
        this.#index.replayDamaged(name, revision, this.#view);
      }
    }
  }

  /** Runs `put` and `remove` calls as one durable transaction; their own promises say nothing that this one does not. */
  async #writeBatch(demand: Demand, writes: () => void): Promise<void> {
    this.#headroom.claim(demand);
    try {
      await this.#tables.root.batch(writes);
    } catch (error) {
      throw new ReadOnlyError("the store cannot write: the disk failed", { cause: await commitFailure(error) });
    }
  }

  /** Lets reads see what has been written. */
  #renewView(): void {
    this.#view.transaction.done();
    this.#view = { transaction: this.#tables.root.useReadTransaction() };
  }

  #version(revision: number, key: string): VersionRecord {
    const bytes = this.#tables.versions.getBinaryFast(encodeNumberedKey(revision, key), this.#view);
    if (bytes === undefined) {
      throw new CorruptStoreError(`the store is damaged: the record of ${key} at revision ${revision} is missing`);
    }
    // Copied out of Node's pool, which is several times cheaper than an allocation of its own for each value.
    const copy = Buffer.allocUnsafe(bytes.length);
    bytes.copy(copy, 0, 0, bytes.length);
    return decodeRecord(key, revision, copy);
  }

  #events(records: VersionRecord[]): StoreEvent[] {
    records.sort((a, b) => a.index - b.index);
    return records.map(({ kind, previousRevision, entry }): StoreEvent => {
      const { key, modRevision } = entry;
      if (kind === "delete") return { kind, key, modRevision, previous: this.#version(previousRevision, key).entry };
      return {
        kind,
        current: entry,
        previous: previousRevision === 0 ? undefined : this.#version(previousRevision, key).entry,
      };
    });
  }

  #metaNumber(key: Buffer): number | undefined {
    const value = this.#tables.meta.get(key, this.#view);
    return value && decodeNumber(value);
  }

  #readLeases(): StoredLease[] {
    const keys = new Map<LeaseId, string[]>();
    for (const key of this.#tables.leaseKeys.getKeys({ ...this.#view })) {
      const id = decodeNumber(key);
      const attached = keys.get(id) ?? [];
      attached.push(decodeNumberedKey(key));
      keys.set(id, attached);
    }
    return [...this.#tables.leases.getRange({ ...this.#view })].map(({ key, value }) => {
      const id = decodeNumber(key);
      return { id, ttlMs: decodeNumber(value), keys: keys.get(id) ?? [] };
    });
  }
}

const atTheEnd = { append: true };

/** Keys are written several times, and every record has a header. */
const sizeOf = (entry: KeyValue): number => entry.value.length + 4 * Buffer.byteLength(entry.key) + 128;

function demandOf({ batches, grantedLeases, endedLeases }: WriteGroup): Demand {
  let pages = (grantedLeases.length + endedLeases.length) * pagesPerChange;
  let bytes = 0;
  let frees = true;
  for (const { events } of batches) {
    for (const event of events) {
      if (event.kind === "put") frees = false;
      const attached = event.kind === "put" && event.current.lease !== undefined;
      pages += attached || event.previous?.lease !== undefined ? 1 + 2 * pagesPerChange : 1;
      bytes += event.kind === "put" ? sizeOf(event.current) : sizeOf(event.previous) - event.previous.value.length;
    }
  }
  return { pages, bytes, frees };
}

const tombstone = (event: StoreEvent & { readonly kind: "delete" }): KeyValue => ({
  ...event.previous,
  value: new Uint8Array(),
  modRevision: event.modRevision,
  lease: undefined,
});

/** What made a commit fail: the package keeps it in a promise beside its error, which must not be left unhandled. */
async function commitFailure(error: unknown): Promise<unknown> {
  if (!(error instanceof Error) || !("commitError" in error)) return error;
  try {
    return await error.commitError;
  } catch (cause) {
    return cause;
  }
}
