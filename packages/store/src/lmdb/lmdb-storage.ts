import type { Logger } from "@skiff/base";
import type { Base } from "../embedded/base-of.ts";
import type { Storage, StoredLease, WriteGroup } from "../embedded/storage.ts";
import {
  CorruptStoreError,
  type KeyValue,
  type LeaseId,
  type Range,
  type StoreEvent,
  type StoreEventBatch,
} from "../store.ts";
import type { CommitLog } from "./commit-log.ts";
import { type Headroom, pagesPerChange } from "./headroom.ts";
import { DeferredEntry, Heads } from "./heads.ts";
import { LiveIndex } from "./live-index.ts";
import { RecentBatches } from "./pending-writes.ts";
import {
  decodeNumber,
  decodeNumberedKey,
  decodeRecord,
  encodeNumber,
  encodeNumberedKey,
  encodeRecord,
  type VersionRecord,
} from "./records.ts";
import { demandOf, frees, writesOf } from "./table-writes.ts";
import { metaKeys, type ReadOptions, type Tables } from "./tables.ts";
import { WriteBehind } from "./write-behind.ts";

/** How much garbage one step removes, and how much history one reading brings: bounded, since other work waits for it. */
const garbageRevisions = 500;
const changesBytes = 4 * 1024 * 1024;

/**
 * State in an LMDB file (the tables are described in `records.ts`) and a log of what comes next. A `write` is durable when it
 * is in the log; LMDB's own thread brings the log's content to the tables later, much of it in one transaction. Reads see the
 * tables in a snapshot that is renewed with each of these, and before it what is in the log, which is kept in memory as well.
 */
export class LmdbStorage implements Storage {
  revision: number;
  compactedRevision: number;
  lastLeaseId: LeaseId;
  readonly leases: readonly StoredLease[];
  #collectedRevision: number;
  readonly #tables: Tables;
  readonly #index: LiveIndex;
  #view: ReadOptions;
  readonly #writes: WriteBehind;
  /** What the tables do not show yet. */
  readonly #recent = new RecentBatches();
  readonly #heads = new Heads();
  #busy: Promise<void> | undefined;
  readonly #snapshot: (tables: Tables, folder: string) => Promise<void>;
  readonly #release: () => Promise<void>;

  /**
   * `headroom` is that of the tables' file; `log` follows the tables; `snapshot` copies the tables to a folder;
   * `release` lets go of all of it.
   */
  constructor(
    tables: Tables,
    options: {
      readonly headroom: Headroom;
      readonly log: CommitLog | undefined;
      readonly logger: Logger;
      readonly snapshot: (tables: Tables, folder: string) => Promise<void>;
      readonly release: () => Promise<void>;
    },
  ) {
    this.#tables = tables;
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
    const indexedRevision = this.#metaNumber(metaKeys.indexed) ?? 1;
    this.#index = new LiveIndex(tables.live, indexedRevision);
    const unindexedBytes = this.#replay(indexedRevision);
    const { revision } = this;
    const { headroom, log, logger } = options;
    const onFlushed = (flushed: number) => {
      this.#recent.dropThrough(flushed);
      this.#renewView();
    };
    this.#writes = new WriteBehind(
      { tables, index: this.#index, headroom, log, logger, onFlushed },
      { revision, indexedRevision, unindexedBytes },
    );
    this.leases = this.#readLeases();
  }

  get upkeepDue(): boolean {
    return this.#collectedRevision < this.compactedRevision;
  }

  get(key: string): KeyValue | undefined {
    const revision = this.#index.get(key, this.#view);
    return revision === undefined ? undefined : this.#entryAt(revision, key);
  }

  peek(key: string): KeyValue | undefined {
    const head = this.#heads.get(key);
    if (head === undefined) return this.get(key);
    return new DeferredEntry(key, head, () => this.#entryAt(head.modRevision, key).value);
  }

  *entries(range: Range): Generator<KeyValue> {
    for (const { key, revision } of this.#index.range(range, this.#view)) {
      yield this.#entryAt(revision, key);
    }
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
      // What is on its way to being answered is not to be seen yet.
      if (next > this.revision) break;
      if (next !== revision) {
        finish();
        if (batches.length === limit || bytes > changesBytes) return batches;
        revision = next;
      }
      bytes += value.length;
      records.push(decodeRecord(decodeNumberedKey(key), revision, value));
    }
    finish();
    return [...batches, ...this.#recent.from(fromRevision, limit - batches.length)];
  }

  write(group: WriteGroup): Promise<void> {
    return this.#exclusively(() => this.#write(group));
  }

  async upkeep(): Promise<void> {
    const end = Math.min(this.compactedRevision, this.#collectedRevision + garbageRevisions);
    await this.#exclusively(async () => {
      // What opening still has to repeat must not be removed.
      if (end > this.#writes.indexedRevision + 1) await this.#writes.flush({ index: true });
      else if (end > this.#collectedRevision) await this.#collectGarbage(end);
    });
  }

  async #write(group: WriteGroup): Promise<void> {
    const writes = writesOf(group);
    const { revision: revisionBefore } = this;
    const revision = group.batches.at(-1)?.revision ?? revisionBefore;
    const demand = demandOf(writes, frees(group));
    const where = await this.#writes.write({ writes, demand, revisionBefore, revision });
    this.revision = revision;
    this.compactedRevision = group.compactedRevision ?? this.compactedRevision;
    for (const { id } of group.grantedLeases) this.lastLeaseId = Math.max(this.lastLeaseId, id);
    this.#index.follow(group.batches);
    this.#heads.follow(group.batches);
    if (where === "log") this.#recent.add(group.batches);
  }

  /** Runs what must not meet a write under way, nor be met by one. */
  async #exclusively(run: () => Promise<void>): Promise<void> {
    while (this.#busy !== undefined) await this.#busy;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#busy = promise;
    try {
      await run();
    } finally {
      this.#busy = undefined;
      resolve();
    }
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
    await this.#writes.direct({ pages: garbage.length * pagesPerChange, bytes: 0, frees: true }, () => {
      for (const key of garbage) void versions.remove(key);
      void meta.put(metaKeys.collected, encodeNumber(end));
    });
    this.#collectedRevision = end;
    this.#renewView();
  }

  /** Fills an empty storage; `write` then goes on from `compactedRevision`. */
  async fill({ entries, compactedRevision, leases, lastLeaseId }: Base): Promise<void> {
    const { live, versions, leases: leaseTable, meta } = this.#tables;
    const leaseKeys = this.#tables["lease-keys"];
    const bytes = entries.reduce((sum, entry) => sum + sizeOf(entry), 0);
    const pages = (entries.length + leases.length) * pagesPerChange;
    await this.#writes.direct({ pages, bytes, frees: false }, () => {
      for (const entry of entries) {
        const record = { kind: "put", index: 0, previousRevision: 0, entry } as const;
        void versions.put(encodeNumberedKey(entry.modRevision, entry.key), encodeRecord(record));
        void live.put(Buffer.from(entry.key), encodeNumber(entry.modRevision));
        if (entry.lease !== undefined) void leaseKeys.put(encodeNumberedKey(entry.lease, entry.key), Buffer.of(1));
      }
      for (const { id, ttlMs } of leases) void leaseTable.put(encodeNumber(id), encodeNumber(ttlMs));
      for (const name of [metaKeys.compacted, metaKeys.collected]) void meta.put(name, encodeNumber(compactedRevision));
      void meta.put(metaKeys.indexed, encodeNumber(compactedRevision - 1));
      void meta.put(metaKeys.lastLease, encodeNumber(lastLeaseId));
    });
    this.#renewView();
  }

  async snapshot(folder: string): Promise<void> {
    await this.#exclusively(() => this.#writes.flush({ index: false }));
    await this.#snapshot(this.#tables, folder);
  }

  async close(): Promise<void> {
    // Without room for it, the next opening has more to do.
    await this.#exclusively(() => this.#writes.flush({ index: true })).catch(() => {});
    this.#view.transaction.done();
    await this.#release();
  }

  /** Finds out what has changed since the table `live` was written; gives how many bytes that were. */
  #replay(indexedRevision: number): number {
    const start = encodeNumber(indexedRevision + 1);
    let bytes = 0;
    for (const { key, value } of this.#tables.versions.getRange({ start, ...this.#view })) {
      const revision = decodeNumber(key);
      const name = decodeNumberedKey(key);
      bytes += value.length;
      try {
        this.#index.replay(decodeRecord(name, revision, value));
      } catch (error) {
        if (!(error instanceof CorruptStoreError)) throw error;
        this.#index.replayDamaged(name, revision, this.#view);
      }
    }
    return bytes;
  }

  /** Lets reads see what has been written. */
  #renewView(): void {
    this.#view.transaction.done();
    this.#view = { transaction: this.#tables.root.useReadTransaction() };
  }

  #entryAt(revision: number, key: string): KeyValue {
    for (const event of this.#recent.at(revision)?.events ?? []) {
      if (event.kind === "put" && event.current.key === key) return event.current;
    }
    return this.#version(revision, key).entry;
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
      if (kind === "delete") return { kind, key, modRevision, previous: this.#entryAt(previousRevision, key) };
      return {
        kind,
        current: entry,
        previous: previousRevision === 0 ? undefined : this.#entryAt(previousRevision, key),
      };
    });
  }

  #metaNumber(key: Buffer): number | undefined {
    const value = this.#tables.meta.get(key, this.#view);
    return value && decodeNumber(value);
  }

  #readLeases(): StoredLease[] {
    const keys = new Map<LeaseId, string[]>();
    for (const key of this.#tables["lease-keys"].getKeys({ ...this.#view })) {
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

/** Keys are written several times, and every record has a header. */
const sizeOf = (entry: KeyValue): number => entry.value.length + 4 * Buffer.byteLength(entry.key) + 128;
