import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { CorruptStoreError } from "../store.ts";
import { format, tableNames } from "./records.ts";

/*
 * LMDB maps its file into memory and trusts it: a file that was cut short ends the process with SIGBUS, a damaged one may
 * do anything. So the file is looked at before it is opened: the two meta pages, then every page that the newer of them
 * leads to. The format is LMDB's data version 2 as the npm package `lmdb` writes it (64 bit, little-endian).
 *
 *   page   number u64 · transaction u64 · pad u16 · flags u16 · lower u16 · upper u16 (or: overflow pages u32) · pointers u16…
 *   meta   magic u32 · version u32 · address u64 · map size u64 · free table (48) · main table (48) · last page u64 · transaction u64
 *   table  pad u32 (in the free table: page size) · flags u16 · depth u16 · branch, leaf, overflow pages, entries, root: u64 each
 *   node   low u16 · high u16 · flags u16 · key size u16 · key · data; in a branch low, high and flags are the page's number
 */
const pageHeaderBytes = 24;
const nodeHeaderBytes = 8;
const tableBytes = 48;
const magic = 0xbeefc0de;
const dataVersion = 2;
/** In larger files, the last level of pages is only checked for being there: opening must not take seconds. */
const thoroughBytes = 64 * 1024 * 1024;
const noPage = 0xffff_ffff_ffff_ffffn;
const pageFlags = { branch: 0x01, leaf: 0x02, overflow: 0x04 };
const nodeFlags = { bigData: 0x01, table: 0x02 };

interface TableRoot {
  readonly name: string;
  readonly page: bigint;
  readonly depth: number;
}

/** What a meta page says. */
export interface Meta {
  readonly pageBytes: number;
  readonly transaction: bigint;
  readonly tables: readonly TableRoot[];
  /** The last page in use; what follows it in the file has no meaning. */
  readonly lastPage: number;
}

/** So much of a meta page is read. */
export const metaBytes = pageHeaderBytes + 24 + 2 * tableBytes + 16;

/** Reads the first `metaBytes` bytes of a meta page of an LMDB file of this version. */
export function parseMeta(page: Buffer): Meta {
  const meta = page.subarray(pageHeaderBytes);
  const main = 24 + tableBytes;
  return {
    pageBytes: meta.readUInt32LE(24),
    lastPage: Number(meta.readBigUInt64LE(main + tableBytes)),
    transaction: meta.readBigUInt64LE(main + tableBytes + 8),
    tables: [
      { name: "free", ...tableRoot(meta.subarray(24, main)) },
      { name: "main", ...tableRoot(meta.subarray(main, main + tableBytes)) },
    ],
  };
}

/** A table's entries, where they are tables themselves with their roots. */
type Content = Map<string, { readonly data: Buffer; readonly table: TableRoot | undefined }>;

/** Throws `CorruptStoreError`, saying what is wrong, unless `file` is an undamaged store of this format. Changes nothing. */
export function inspectFile(file: string): void {
  const descriptor = openSync(file, "r");
  try {
    new Inspection(file, descriptor).run();
  } catch (error) {
    if (error instanceof RangeError)
      throw new CorruptStoreError(`${file} is damaged: ${error.message}`, { cause: error });
    throw error;
  } finally {
    closeSync(descriptor);
  }
}

class Inspection {
  readonly #file: string;
  readonly #descriptor: number;
  readonly #bytes: number;
  #pageBytes = 4096;

  constructor(file: string, descriptor: number) {
    this.#file = file;
    this.#descriptor = descriptor;
    this.#bytes = fstatSync(descriptor).size;
  }

  run(): void {
    if (this.#bytes < 2 * this.#pageBytes) throw this.#damaged("it is too short");
    const first = this.#readMeta(0);
    this.#pageBytes = first.pageBytes;
    const second = this.#readMeta(this.#pageBytes);
    const { tables } = first.transaction > second.transaction ? first : second;
    const main: Content = new Map();
    for (const table of tables) this.#walk(table, table.name === "main" ? main : undefined);
    const meta: Content = new Map();
    for (const name of tableNames) {
      const table = main.get(name)?.table;
      if (table === undefined) throw this.#foreign(`it has no table ${name}`);
      this.#walk(table, name === "meta" ? meta : undefined);
    }
    const mark = meta.get("format")?.data.toString();
    if (mark !== format) throw this.#foreign(`its format is ${mark ?? "unmarked"}, not ${format}`);
  }

  #readMeta(offset: number): Meta {
    const page = this.#read(offset, metaBytes);
    if (page.readUInt32LE(pageHeaderBytes) !== magic) throw this.#foreign("it is not an LMDB file");
    if ((page.readUInt32LE(pageHeaderBytes + 4) & 0xffff) !== dataVersion) {
      throw this.#foreign("it is of another version of LMDB");
    }
    const meta = parseMeta(page);
    const { pageBytes } = meta;
    if (pageBytes < 512 || pageBytes > 65_536 || (pageBytes & (pageBytes - 1)) !== 0) {
      throw this.#damaged(`its page size is ${pageBytes}`);
    }
    return meta;
  }

  /** Visits all pages of a table; gathers its entries in `content` where that is wanted. */
  #walk(table: TableRoot, content: Content | undefined): void {
    if (table.page !== noPage) this.#visit(table.page, table.depth, content);
  }

  #visit(number: bigint, depth: number, content: Content | undefined): void {
    if (depth === 1 && content === undefined && this.#bytes > thoroughBytes) {
      if ((Number(number) + 1) * this.#pageBytes > this.#bytes) throw this.#damaged("it was cut short");
      return;
    }
    const page = this.#read(Number(number) * this.#pageBytes, this.#pageBytes);
    const flags = page.readUInt16LE(18);
    const expected = depth > 1 ? pageFlags.branch : pageFlags.leaf;
    if (depth < 1 || page.readBigUInt64LE(0) !== number || (flags & 0x07) !== expected) {
      throw this.#damaged(`page ${number} is not what it should be`);
    }
    const nodes = page.readUInt16LE(20) >> 1;
    for (let index = 0; index < nodes; index++) {
      const node = page.subarray(pageHeaderBytes + page.readUInt16LE(pageHeaderBytes + 2 * index));
      if (depth > 1) this.#visit(BigInt(node.readUIntLE(0, 6)), depth - 1, content);
      else this.#inspectEntry(node, content);
    }
  }

  #inspectEntry(node: Buffer, content: Content | undefined): void {
    const flags = node.readUInt16LE(4);
    const dataStart = nodeHeaderBytes + node.readUInt16LE(6);
    const dataBytes = node.readUInt16LE(0) + node.readUInt16LE(2) * 0x1_0000;
    const data = node.subarray(dataStart);
    if ((flags & nodeFlags.bigData) !== 0) this.#inspectOverflow(data, dataBytes);
    else if (data.length < dataBytes) throw this.#damaged("an entry goes beyond its page");
    if (content === undefined) return;
    // The package ends its table names with NUL.
    const name = node.toString("utf8", nodeHeaderBytes, dataStart).replace(/\0$/, "");
    const isTable = (flags & nodeFlags.table) !== 0;
    content.set(name, { data: data.subarray(0, dataBytes), table: isTable ? { name, ...tableRoot(data) } : undefined });
  }

  /** A value too large for a page: its own run of pages. */
  #inspectOverflow(data: Buffer, valueBytes: number): void {
    const number = data.readBigUInt64LE(0);
    const offset = Number(number) * this.#pageBytes;
    const header = this.#read(offset, pageHeaderBytes);
    const pages = header.readUInt32LE(20);
    const fits = pages * this.#pageBytes >= pageHeaderBytes + valueBytes;
    if (header.readBigUInt64LE(0) !== number || (header.readUInt16LE(18) & pageFlags.overflow) === 0 || !fits) {
      throw this.#damaged(`page ${number} is not what it should be`);
    }
    if (offset + pageHeaderBytes + valueBytes > this.#bytes) throw this.#damaged("it was cut short");
  }

  #read(offset: number, length: number): Buffer {
    if (offset + length > this.#bytes) throw this.#damaged("it was cut short");
    const bytes = Buffer.allocUnsafe(length);
    const got = readSync(this.#descriptor, bytes, 0, length, offset);
    if (got !== length) throw this.#damaged("it was cut short");
    return bytes;
  }

  #damaged(what: string): CorruptStoreError {
    return new CorruptStoreError(`${this.#file} is damaged: ${what}. Restore the folder from a snapshot`);
  }

  #foreign(what: string): CorruptStoreError {
    return new CorruptStoreError(`${this.#file} is not a store of this version: ${what}`);
  }
}

const tableRoot = (bytes: Buffer): { readonly page: bigint; readonly depth: number } => ({
  depth: bytes.readUInt16LE(6),
  page: bytes.readBigUInt64LE(40),
});
