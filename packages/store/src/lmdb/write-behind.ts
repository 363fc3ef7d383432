import { describeError, type Logger } from "@skiff/base";
import { ReadOnlyError } from "../store.ts";
import type { CommitLog } from "./commit-log.ts";
import type { Demand, Headroom } from "./headroom.ts";
import type { LiveIndex } from "./live-index.ts";
import { PendingWrites } from "./pending-writes.ts";
import { encodeNumber } from "./records.ts";
import { putWrites, type TableWrite } from "./table-writes.ts";
import { metaKeys, type Tables } from "./tables.ts";

/** The index is written when so much has been committed since: what opening has to read again, where the tables keep up. */
const indexRevisions = 2048;
const indexBytes = 4 * 1024 * 1024;

/** What a group is to write, and the store's revision before and after it. */
export interface GroupWrites {
  readonly writes: readonly TableWrite[];
  readonly demand: Demand;
  readonly revisionBefore: number;
  readonly revision: number;
}

export interface WriteBehindOptions {
  readonly tables: Tables;
  readonly index: LiveIndex;
  readonly headroom: Headroom;
  /** Absent where the disk had no room for it: every group then is a transaction of LMDB. */
  readonly log: CommitLog | undefined;
  readonly logger: Logger;
  /** The tables hold the state of `revision` now. */
  readonly onFlushed: (revision: number) => void;
}

/**
 * Makes groups durable in the log and brings them to the tables afterwards, beside the groups that follow. A group that is
 * too large for the log goes to the tables at once, with all before it. Calls must come one after another.
 */
export class WriteBehind {
  readonly #options: WriteBehindOptions;
  #pending: PendingWrites;
  /** What is on its way to the tables. */
  #flushing: { readonly content: PendingWrites; readonly done: Promise<void> } | undefined;
  /** True while both files of the log hold what the tables do not: a flush failed. */
  #isStuck = false;
  #indexedRevision: number;
  #unindexedBytes: number;

  /** `revision` is that of the tables, whose index is as of `indexedRevision`, followed by `unindexedBytes`. */
  constructor(
    options: WriteBehindOptions,
    start: { readonly revision: number; readonly indexedRevision: number; readonly unindexedBytes: number },
  ) {
    this.#options = options;
    this.#pending = new PendingWrites(options.log?.sequence ?? 0, start.revision);
    this.#indexedRevision = start.indexedRevision;
    this.#unindexedBytes = start.unindexedBytes;
  }

  /** What opening would find in the tables' index. */
  get indexedRevision(): number {
    return this.#indexedRevision;
  }

  /** Resolves when the group is durable, with where it is. Throws `ReadOnlyError` when it is not. */
  async write(group: GroupWrites): Promise<"log" | "tables"> {
    const { log } = this.#options;
    await this.#requireRoom(group.demand);
    if (log === undefined || !log.canHold(group.writes)) {
      await this.#flushWith(group);
      return "tables";
    }
    if (!log.hasRoomFor(group.writes)) await this.#makeRoom();
    try {
      await log.append(group.revisionBefore, group.writes);
    } catch (cause) {
      throw new ReadOnlyError("the store cannot write: the disk failed", { cause });
    }
    this.#pending.add(group.writes, group.demand);
    this.#pending.sequence = log.sequence;
    this.#pending.revision = group.revision;
    this.#unindexedBytes += group.demand.bytes;
    const isDue = log.isFilling || this.#isIndexDue(group.revision);
    if (isDue && this.#flushing === undefined && !this.#isStuck) this.#startFlush();
    return "log";
  }

  /** Brings everything to the tables; with `index`, their index too. Nothing may be written meanwhile. */
  async flush({ index }: { readonly index: boolean }): Promise<void> {
    await this.#flushing?.done;
    const content = this.#pending;
    if (content.writes.length === 0 && !(index && this.#options.index.changes > 0)) return;
    await this.#transact(content, index);
    this.#emptied(content);
  }

  /** Makes one transaction of the tables, for what is not logged. Nothing may be written meanwhile. */
  async direct(demand: Demand, put: () => void): Promise<void> {
    await this.#flushing?.done;
    await this.#requireRoom(demand);
    await this.#commit(put);
  }

  /** What waits in the log is counted at its worst; on a disk that is nearly full, it is seen what it really takes. */
  async #requireRoom(demand: Demand): Promise<void> {
    const { headroom } = this.#options;
    try {
      headroom.require(this.#with(demand));
    } catch (error) {
      if (this.#pending.writes.length === 0 && this.#flushing === undefined) throw error;
      await this.flush({ index: false });
      headroom.require(this.#with(demand));
    }
  }

  #with({ pages, bytes, frees }: Demand): Demand {
    const flushing = this.#flushing?.content;
    return {
      pages: pages + this.#pending.pages + (flushing?.pages ?? 0),
      bytes: bytes + this.#pending.bytes + (flushing?.bytes ?? 0),
      frees,
    };
  }

  #isIndexDue(revision: number): boolean {
    return revision - this.#indexedRevision >= indexRevisions || this.#unindexedBytes >= indexBytes;
  }

  /** Frees the log's current file, or the other one. */
  async #makeRoom(): Promise<void> {
    await this.#flushing?.done;
    if (this.#isStuck) await this.flush({ index: false });
    else this.#startFlush();
  }

  async #flushWith({ writes, demand, revision }: GroupWrites): Promise<void> {
    await this.#flushing?.done;
    const together = new PendingWrites(this.#pending.sequence, revision);
    together.add(this.#pending.writes, this.#pending);
    together.add(writes, demand);
    await this.#transact(together, this.#isIndexDue(revision));
    this.#emptied(together);
  }

  #emptied({ sequence, revision }: PendingWrites): void {
    const { log } = this.#options;
    log?.restart();
    this.#isStuck = false;
    this.#pending = new PendingWrites(sequence, revision);
  }

  /** Sends what is pending to the tables while the log's other file takes what follows. */
  #startFlush(): void {
    const content = this.#pending;
    this.#pending = new PendingWrites(content.sequence, content.revision);
    this.#options.log?.switch();
    const done = this.#transact(content, this.#isIndexDue(content.revision))
      .catch((error: unknown) => {
        this.#options.logger.warn(`the log could not be brought to the tables for now: ${describeError(error)}`);
        this.#isStuck = true;
        const later = this.#pending;
        content.add(later.writes, later);
        content.sequence = later.sequence;
        content.revision = later.revision;
        this.#pending = content;
      })
      .finally(() => {
        this.#flushing = undefined;
      });
    this.#flushing = { content, done };
  }

  async #transact({ writes, sequence, revision }: PendingWrites, indexWanted: boolean): Promise<void> {
    const { tables, index, onFlushed } = this.#options;
    const withIndex = indexWanted && this.#hasRoomForIndex();
    // A group that is being written is not in the index yet.
    const indexed = index.revision;
    if (withIndex) index.freeze();
    const bytesBefore = this.#unindexedBytes;
    try {
      await this.#commit(() => {
        putWrites(tables, writes);
        if (sequence > 0) void tables.meta.put(metaKeys.logged, encodeNumber(sequence));
        if (!withIndex) return;
        index.write();
        void tables.meta.put(metaKeys.indexed, encodeNumber(indexed));
      });
    } catch (error) {
      if (withIndex) index.thaw();
      throw error;
    }
    if (withIndex) {
      index.written();
      this.#indexedRevision = indexed;
      this.#unindexedBytes -= bytesBefore;
    }
    onFlushed(revision);
  }

  /** Without room for it, the next opening has more to do. */
  #hasRoomForIndex(): boolean {
    const { index, headroom } = this.#options;
    try {
      headroom.require(this.#with({ ...index.demand(), frees: true }));
      return true;
    } catch {
      return false;
    }
  }

  async #commit(put: () => void): Promise<void> {
    try {
      await this.#options.tables.root.batch(put);
    } catch (error) {
      throw new ReadOnlyError("the store cannot write: the disk failed", { cause: await commitFailure(error) });
    } finally {
      this.#options.headroom.spent();
    }
  }
}

/** What made a commit fail: the package keeps it in a promise beside its error, which must not be left unhandled. */
async function commitFailure(error: unknown): Promise<unknown> {
  if (!(error instanceof Error) || !("commitError" in error)) return error;
  try {
    return await error.commitError;
  } catch (cause) {
    return cause;
  }
}
