import { closeSync, fstatSync, openSync, readSync, statfsSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { ReadOnlyError } from "../store.ts";
import { metaBytes, parseMeta } from "./inspect-file.ts";

/** The file grows by so much at a time. */
const growthBytes = 1024 * 1024;
const growth = Buffer.alloc(growthBytes);
/** Pages kept back for what makes room: deletions, compaction, the removal of old revisions. */
const reservePages = 64;
/** LMDB's own bookkeeping in any transaction. */
const basePages = 32;
/** A change in the midst of a tree may copy a path through it and split what it ends at; another one for the list of free pages. */
export const pagesPerChange = 12;

/** What a transaction is going to write. */
export interface Demand {
  /** How many pages it copies or splits at worst, more than the whole file has at most. */
  readonly pages: number;
  /** The sum of the new entries' sizes. */
  readonly bytes: number;
  /** True for what makes room in the end and may use the reserve. */
  readonly frees: boolean;
}

/**
 * Room on the disk that is certain before LMDB needs it. LMDB's npm package does not survive a write that fails half way
 * (it damages its heap), so such a write must not be begun: the file always has more pages on the disk than a transaction
 * can use at worst. As a side effect most commits find their pages in place, and syncing them is cheaper.
 */
export class Headroom implements Disposable {
  readonly #file: string;
  readonly #descriptor: number;
  /** Pages behind the last one in use, at least. */
  #spare = 0;
  #used = 0;
  #pageBytes = 4096;

  constructor(file: string) {
    this.#file = file;
    this.#descriptor = openSync(file, "r+");
    this.#measure();
  }

  /** Makes sure of pages for what is going to be written. Throws `ReadOnlyError` when the disk has no room for them. */
  require({ pages: touched, bytes, frees }: Demand): void {
    // No page is less than half full when only larger keys follow.
    const pages = basePages + Math.min(touched, 2 * this.#used) + 2 * Math.ceil(bytes / this.#pageBytes);
    const wanted = frees ? pages : pages + reservePages;
    if (this.#spare < wanted) this.#measure();
    if (this.#spare < wanted) this.#grow(wanted);
  }

  /** Says that a transaction has been written and has used pages. */
  spent(): void {
    this.#spare = 0;
  }

  [Symbol.dispose](): void {
    closeSync(this.#descriptor);
  }

  #measure(): void {
    const first = this.#readMeta(0);
    const second = this.#readMeta(first.pageBytes);
    this.#pageBytes = first.pageBytes;
    const { lastPage } = first.transaction > second.transaction ? first : second;
    this.#used = lastPage + 1;
    this.#spare = Math.floor(fstatSync(this.#descriptor).size / this.#pageBytes) - this.#used;
  }

  #readMeta(offset: number) {
    const bytes = Buffer.alloc(metaBytes);
    readSync(this.#descriptor, bytes, 0, metaBytes, offset);
    return parseMeta(bytes);
  }

  #grow(wantedPages: number): void {
    try {
      while (this.#spare < wantedPages) {
        const { size } = fstatSync(this.#descriptor);
        writeSync(this.#descriptor, growth, 0, growthBytes, size);
        this.#measure();
      }
    } catch (cause) {
      // What did fit before the disk was full may do.
      this.#measure();
      if (this.#spare >= wantedPages) return;
      throw new ReadOnlyError(`the store cannot write: no room for ${this.#file}: the disk is full`, { cause });
    }
  }
}

/** Throws `ReadOnlyError` unless the disk has room for a new store. */
export function requireRoom(file: string): void {
  const { bavail, bsize } = statfsSync(dirname(file));
  if (bavail * bsize < growthBytes)
    throw new ReadOnlyError(`the store cannot write: no room for ${file}: the disk is full`);
}
