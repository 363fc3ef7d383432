import { closeSync, constants, fdatasync, openSync, statSync, write, writeSync } from "node:fs";
import { open, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
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

/** Linux can write and sync in one call, which saves a turn of Node's threads for each group. */
const syncsOnWrite = process.platform === "linux";

/** What a log goes on from. */
export interface LogStart {
  /** The store's. */
  readonly identity: Buffer;
  /** That of the last entry ever written. */
  readonly sequence: number;
}

/**
 * Where a group becomes durable: one write of one run of blocks, where LMDB needs two that wait for each other, and pages
 * for its trees. What is logged goes to the tables later, much of it at a time; the log has two files, so that one can be
 * filled while the content of the other goes to the tables.
 */
export class CommitLog implements Disposable {
  readonly #descriptors: readonly number[];
  readonly #identity: Buffer;
  #current = 0;
  #position = 0;
  #sequence: number;
  #buffer = Buffer.alloc(256 * 1024);

  private constructor(descriptors: readonly number[], { identity, sequence }: LogStart) {
    this.#descriptors = descriptors;
    this.#identity = identity;
    this.#sequence = sequence;
  }

  /** Opens or makes the files in a folder; Nothing where there is no room for them. */
  static async open(folder: string, start: LogStart): Promise<CommitLog | undefined> {
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
    const entry = { identity: this.#identity, sequence: this.#sequence + 1, revisionBefore, writes };
    encodeEntry(entry, this.#buffer);
    const descriptor = this.#descriptors[this.#current] ?? -1;
    try {
      const { bytesWritten } = await writeTo(descriptor, this.#buffer, 0, length, this.#position);
      if (bytesWritten !== length) throw new Error(`only ${bytesWritten} of ${length} bytes could be written`);
      if (!syncsOnWrite) await syncData(descriptor);
    } catch (error) {
      this.#erase(descriptor, length);
      throw error;
    }
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

  /** What was refused must not come back; where even this fails, the next entry takes its place. */
  #erase(descriptor: number, length: number): void {
    try {
      writeSync(descriptor, Buffer.alloc(length), 0, length, this.#position);
    } catch {}
  }
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
