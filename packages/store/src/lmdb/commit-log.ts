import { closeSync, constants, fdatasync, openSync, statSync, write, writeSync } from "node:fs";
import { open, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Clock } from "@skiff/base";
import { encodeEntry, entryBytes } from "./log-entry.ts";
import type { TableWrite } from "./table-writes.ts";

/** The log's files in the store's folder. */
export const logNames = ["log-0", "log-1"] as const;

/** What one of them holds at most. Its room on the disk is taken at once, so that an append needs none. */
const fileBytes = 4 * 1024 * 1024;
/** From here on, the other file should be made free. */
const fullBytes = fileBytes / 2;

const writeTo = promisify(write);
const syncData = promisify(fdatasync);

/** So many writes wait where the disk is all that they wait for; fewer leave the time to other work of this process. */
const quickWrites = 16;
/** Longer entries are never written at once. */
const quickBytes = 512 * 1024;

/** Linux can write and sync in one call, which saves a turn of Node's threads for each group. */
const syncsOnWrite = process.platform === "linux";

/** What a log goes on from. */
export interface LogStart {
  /** The store's. */
  readonly identity: Buffer;
  /** That of the last entry ever written. */
  readonly sequence: number;
}

/** How a log decides between writing at once and leaving it to Node's threads. */
export interface Pace {
  readonly clock: Clock;
  /**
   * A disk whose last write took less than this is written to at once, although everything else waits meanwhile: a
   * hand-over to the threads and back costs this process as much. A slower disk delays only those who wait for it.
   */
  readonly quickDiskMs: number;
}

/** What an entry is written with. */
interface Append {
  readonly descriptor: number;
  readonly length: number;
}

/**
 * Where a group becomes durable: one write of one run of blocks, where LMDB needs two that wait for each other, and pages
 * for its trees. What is logged goes to the tables later, much of it at a time; the log has two files, so that one can be
 * filled while the content of the other goes to the tables.
 */
export class CommitLog implements Disposable {
  readonly #descriptors: readonly number[];
  readonly #identity: Buffer;
  readonly #pace: Pace;
  /** How long the last write took; nothing is known of a disk at first. */
  #lastMs = Number.POSITIVE_INFINITY;
  #current = 0;
  #position = 0;
  #sequence: number;
  #buffer = Buffer.alloc(256 * 1024);

  private constructor(descriptors: readonly number[], { identity, sequence }: LogStart, pace: Pace) {
    this.#descriptors = descriptors;
    this.#pace = pace;
    this.#identity = identity;
    this.#sequence = sequence;
  }

  /** Opens or makes the files in a folder; Nothing where there is no room for them. */
  static async open(folder: string, start: LogStart, pace: Pace): Promise<CommitLog | undefined> {
    const files = logNames.map((name) => join(folder, name));
    try {
      for (const file of files) await makeFile(file);
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOSPC") return undefined;
      throw error;
    }
    const flags = constants.O_RDWR | (syncsOnWrite ? constants.O_DSYNC : 0);
    return new CommitLog(
      files.map((file) => openSync(file, flags)),
      start,
      pace,
    );
  }

  /** The last entry's sequence. */
  get sequence(): number {
    return this.#sequence;
  }

  /** True when so much is in the current file that it should go to the tables. */
  get isFilling(): boolean {
    return this.#position >= fullBytes;
  }

  /** Whether the current file has room for an entry. */
  hasRoomFor(writes: readonly TableWrite[]): boolean {
    return this.#position + entryBytes(writes) <= fileBytes;
  }

  /** Whether an empty file has. */
  canHold(writes: readonly TableWrite[]): boolean {
    return entryBytes(writes) <= fullBytes;
  }

  /** Resolves when the entry is on the disk. Not to be called while an earlier call is under way; there must be room. */
  async append(revisionBefore: number, writes: readonly TableWrite[]): Promise<void> {
    const length = entryBytes(writes);
    if (this.#buffer.length < length) this.#buffer = Buffer.alloc(length);
    encodeEntry({ identity: this.#identity, sequence: this.#sequence + 1, revisionBefore, writes }, this.#buffer);
    const append = { descriptor: this.#descriptors[this.#current] ?? -1, length };
    const { clock, quickDiskMs } = this.#pace;
    const isQuick = syncsOnWrite && this.#lastMs < quickDiskMs && writes.length >= quickWrites && length <= quickBytes;
    const start = clock.monotonic();
    try {
      if (isQuick) this.#writeNow(append);
      else await this.#writeBeside(append);
    } catch (error) {
      this.#erase(append);
      throw error;
    }
    this.#lastMs = clock.monotonic() - start;
    this.#position += length;
    this.#sequence++;
  }

  /** Goes on with the other file, whose entries are in the tables. */
  switch(): void {
    this.#current = 1 - this.#current;
    this.#position = 0;
  }

  /** Takes it that everything so far is in the tables. */
  restart(): void {
    this.#position = 0;
  }

  [Symbol.dispose](): void {
    for (const descriptor of this.#descriptors) closeSync(descriptor);
  }

  #writeNow({ descriptor, length }: Append): void {
    requireWhole(writeSync(descriptor, this.#buffer, 0, length, this.#position), length);
  }

  async #writeBeside({ descriptor, length }: Append): Promise<void> {
    const { bytesWritten } = await writeTo(descriptor, this.#buffer, 0, length, this.#position);
    requireWhole(bytesWritten, length);
    if (!syncsOnWrite) await syncData(descriptor);
  }

  /** What was refused must not come back; where even this fails, the next entry takes its place. */
  #erase({ descriptor, length }: Append): void {
    try {
      writeSync(descriptor, Buffer.alloc(length), 0, length, this.#position);
    } catch {}
  }
}

function requireWhole(written: number, length: number): void {
  if (written !== length) throw new Error(`only ${written} of ${length} bytes could be written`);
}

async function makeFile(path: string): Promise<void> {
  if (statSync(path, { throwIfNoEntry: false })?.size === fileBytes) return;
  try {
    await using file = await open(path, "w", 0o600);
    await file.writeFile(Buffer.alloc(fileBytes));
    await file.sync();
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
}
