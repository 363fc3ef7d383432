import { randomBytes } from "node:crypto";
import { type Database, open, type RootDatabase, type Transaction } from "lmdb";
import { format, identityBytes, type tableNames } from "./records.ts";

/** A table with binary keys and values: what the package's databases are used for here. */
export interface Table
  extends Pick<Database<Buffer, Buffer>, "get" | "getRange" | "getKeys" | "getKeysCount" | "remove"> {
  /** With `append` the key must be above all others: otherwise nothing is written. */
  put(key: Buffer, value: Buffer, options?: { readonly append: boolean }): Promise<boolean>;
  /** Gives a buffer that is only valid, up to its `length`, until the next call to any table. */
  getBinaryFast(key: Buffer, options: ReadOptions): Buffer | undefined;
  /** Counts of the table's pages and more. */
  getStats(): object;
}

/** Reads from a certain snapshot. */
export interface ReadOptions {
  readonly transaction: Transaction;
}

/** The tables' names in the file. */
export type TableName = (typeof tableNames)[number];

/** An open LMDB environment with the store's tables. */
export interface Tables extends Readonly<Record<TableName, Table>> {
  readonly root: RootDatabase<Buffer, Buffer>;
}

/** The names in the table `meta`. */
export const metaKeys = {
  format: Buffer.from("format"),
  compacted: Buffer.from("compacted"),
  collected: Buffer.from("collected"),
  lastLease: Buffer.from("last-lease"),
  indexed: Buffer.from("indexed"),
  logged: Buffer.from("logged"),
  identity: Buffer.from("identity"),
} as const;

const binary = { encoding: "binary", keyEncoding: "binary" } as const;

/** How much address space is set aside at first; a larger file is mapped anew. It takes no room. */
const mapBytes = 16 * 1024 ** 3;

/** Opens the tables in `file`, creating what is missing. */
export function openTables(file: string): Tables {
  const root = open<Buffer, Buffer>({
    path: file,
    ...binary,
    noSubdir: true,
    mapSize: mapBytes,
    maxDbs: 8,
    // A commit is answered when it is on the disk and not before.
    overlappingSync: false,
    // Despite its name, this makes batches begin at once rather than in the event loop's next turn.
    eventTurnBatching: true,
  });
  const table = (name: string): Table => root.openDB<Buffer, Buffer>({ name, ...binary });
  return {
    root,
    live: table("live"),
    versions: table("versions"),
    leases: table("leases"),
    "lease-keys": table("lease-keys"),
    meta: table("meta"),
  };
}

/** Writes the empty tables, the format's mark and the store's identity. */
export async function createTables(file: string): Promise<void> {
  const tables = openTables(file);
  try {
    await tables.root.batch(() => {
      void tables.meta.put(metaKeys.format, Buffer.from(format));
      void tables.meta.put(metaKeys.identity, randomBytes(identityBytes));
    });
  } finally {
    await tables.root.close();
  }
}
