import { compareKeys, inRange } from "../keys.ts";
import type { Range, StoreEventBatch } from "../store.ts";
import type { Demand } from "./headroom.ts";
import { decodeNumber, encodeNumber, type VersionRecord } from "./records.ts";
import type { ReadOptions, Table } from "./tables.ts";

/** What a key's changes since the table was last brought up to date come to. */
interface Change {
  /** Where the key's present state is found; 0 when the key is deleted. */
  revision: number;
  /** Whether the table (with what is frozen, where something is) has the key. */
  readonly existed: boolean;
}

/** A live key and the revision where its present state is found. */
export interface LiveKey {
  readonly key: string;
  readonly revision: number;
}

/**
 * Which keys there are now: the table `live`, and in memory what has changed since it was last brought up to date. The
 * table's pages are hit at random, so writing them with every commit would cost more than the commit itself; a thousand
 * commits hit most of them several times.
 */
export class LiveIndex {
  readonly #table: Table;
  /** What has changed since the table was written, or since `freeze`. */
  #changes = new Map<string, Change>();
  /** What is on its way into the table, beneath `#changes`. */
  #frozen = new Map<string, Change>();

  /** What is known of, in the table and since. */
  #revision: number;

  /** `revision` is that of the table. */
  constructor(table: Table, revision: number) {
    this.#table = table;
    this.#revision = revision;
  }

  /** The newest revision whose changes are taken in. */
  get revision(): number {
    return this.#revision;
  }

  /** How many keys the table does not show as they are. */
  get changes(): number {
    return this.#changes.size + this.#frozen.size;
  }

  /** The revision of a key's present state; nothing where the key does not exist. */
  get(key: string, view: ReadOptions): number | undefined {
    const change = this.#changes.get(key) ?? this.#frozen.get(key);
    if (change !== undefined) return change.revision === 0 ? undefined : change.revision;
    return this.#stored(key, view);
  }

  /** The live keys of a range, in order of their UTF-8 bytes. */
  *range(range: Range, view: ReadOptions): Generator<LiveKey> {
    if (range.end === "") return;
    const changed = this.#changedIn(range);
    let index = 0;
    for (const { key: bytes, value } of this.#table.getRange({ ...bounds(range), ...view })) {
      const key = bytes.toString();
      let next = changed[index];
      for (; next !== undefined && compareKeys(next.key, key) < 0; next = changed[++index]) {
        if (next.revision > 0) yield next;
      }
      if (next?.key !== key) yield { key, revision: decodeNumber(value) };
    }
    for (; index < changed.length; index++) {
      const next = changed[index];
      if (next !== undefined && next.revision > 0) yield next;
    }
  }

  count(range: Range, view: ReadOptions): number {
    if (range.end === "") return 0;
    let count = this.#table.getKeysCount({ ...bounds(range), ...view });
    const wanted = inRange(range);
    for (const changes of [this.#frozen, this.#changes]) {
      for (const [key, { revision, existed }] of changes) {
        if (existed !== revision > 0 && wanted(key)) count += existed ? -1 : 1;
      }
    }
    return count;
  }

  /** Takes in transactions that have been written. */
  follow(batches: readonly StoreEventBatch[]): void {
    for (const { revision, events } of batches) {
      this.#revision = revision;
      for (const event of events) {
        if (event.kind === "put")
          this.#change(event.current.key, event.current.modRevision, event.previous !== undefined);
        else this.#change(event.key, 0, true);
      }
    }
  }

  /** Takes in a record that is newer than the table. */
  replay({ kind, previousRevision, entry }: VersionRecord): void {
    this.#revision = entry.modRevision;
    this.#change(entry.key, kind === "put" ? entry.modRevision : 0, previousRevision > 0);
  }

  /** Takes in a record that cannot be read: what asks for the key shall hear of it. */
  replayDamaged(key: string, revision: number, view: ReadOptions): void {
    this.#revision = revision;
    this.#change(key, revision, this.#stored(key, view) !== undefined);
  }

  /** What `write` asks of the disk. */
  demand(): Omit<Demand, "frees"> {
    const stats = this.#table.getStats();
    const leaves = "treeLeafPageCount" in stats ? Number(stats.treeLeafPageCount) : Number.POSITIVE_INFINITY;
    const branches = "treeBranchPageCount" in stats ? Number(stats.treeBranchPageCount) : Number.POSITIVE_INFINITY;
    let bytes = 0;
    for (const key of this.#changes.keys()) bytes += 3 * key.length + 64;
    // Every page that is there may be copied and split; the pages that new keys fill are counted by their bytes.
    return { pages: 2 * (Math.min(leaves, this.#changes.size) + branches), bytes };
  }

  /** Sets aside what has changed, to be put into the table; later changes come on top. */
  freeze(): void {
    this.#frozen = this.#changes;
    this.#changes = new Map();
  }

  /** Puts what is frozen into the table, as part of a transaction. */
  write(): void {
    // Roughly in the table's order: the one page after the other.
    for (const key of [...this.#frozen.keys()].sort()) {
      const revision = this.#frozen.get(key)?.revision ?? 0;
      if (revision > 0) void this.#table.put(Buffer.from(key), encodeNumber(revision));
      else void this.#table.remove(Buffer.from(key));
    }
  }

  /** Drops what a completed transaction has put into the table. */
  written(): void {
    this.#frozen = new Map();
  }

  /** Takes back `freeze`, since the transaction failed. */
  thaw(): void {
    const later = this.#changes;
    this.#changes = this.#frozen;
    this.#frozen = new Map();
    for (const [key, { revision, existed }] of later) this.#change(key, revision, existed);
  }

  #change(key: string, revision: number, existed: boolean): void {
    const change = this.#changes.get(key);
    if (change === undefined) this.#changes.set(key, { revision, existed });
    else change.revision = revision;
  }

  #stored(key: string, view: ReadOptions): number | undefined {
    const bytes = this.#table.getBinaryFast(Buffer.from(key), view);
    return bytes && decodeNumber(bytes);
  }

  #changedIn(range: Range): LiveKey[] {
    const keys = new Set([...this.#frozen.keys(), ...this.#changes.keys()].filter(inRange(range)));
    return [...keys].sort(compareKeys).map((key) => {
      const change = this.#changes.get(key) ?? this.#frozen.get(key);
      return { key, revision: change?.revision ?? 0 };
    });
  }
}

/** LMDB takes no empty key, not even as a bound; its own first key stands in for it. */
const bounds = ({ start, end }: Range): { start?: Buffer; end: Buffer } =>
  start === "" ? { end: Buffer.from(end) } : { start: Buffer.from(start), end: Buffer.from(end) };
