import { crc32 } from "node:zlib";
import { CorruptStoreError, type KeyValue } from "../store.ts";

/*
 * The tables of the LMDB engine, all with binary keys:
 *
 *   live        key                  → revision (6 bytes)              where the key's state at revision `indexed` is found
 *   versions    revision (6) ‖ key   → record                          every state that can still be read, oldest first
 *   leases      lease (6)            → TTL in ms (6)
 *   lease-keys  lease (6) ‖ key      → one byte                        the keys that a lease removes
 *   meta        a name               → format | compacted | collected | last-lease | indexed | logged | identity
 *
 * A value is thus written once, whatever happens to its key later, and only at the end of `versions`. The table `live` is
 * written every two thousand revisions; opening repeats from `versions` what came after (`live-index.ts`). Record, numbers big-endian:
 *
 *   0  checksum (4)   4  kind (1)   5  index in the transaction (2)   7  previous revision (6), 0 for a new key
 *   13 create revision (6)   19 version (4)   23 lease (6), 0 for none   29 value
 */

export const tableNames = ["live", "versions", "leases", "lease-keys", "meta"] as const;

/** Written at creation, required at opening. */
export const format = "skiff-store 3";

/** A store's identity, which its log's entries carry, has so many random bytes. */
export const identityBytes = 8;

/** One key's change in one transaction, as it is stored. */
export interface VersionRecord {
  readonly kind: "put" | "delete";
  readonly index: number;
  /** Where the state before is found; 0 where there was none. */
  readonly previousRevision: number;
  /** The state after; for a delete its value is empty. */
  readonly entry: KeyValue;
}

const headerBytes = 29;
const revisionBytes = 6;
const kindPut = 1;
const kindDelete = 2;

/** A revision, lease or duration as the tables hold it. */
export function encodeNumber(number: number): Buffer {
  const bytes = Buffer.allocUnsafe(revisionBytes);
  bytes.writeUIntBE(number, 0, revisionBytes);
  return bytes;
}

/** Reads what `encodeNumber` or the beginning of `encodeNumberedKey` wrote. */
export function decodeNumber(bytes: Buffer): number {
  if (bytes.length < revisionBytes) throw new CorruptStoreError("the store is damaged: a number is cut short");
  return bytes.readUIntBE(0, revisionBytes);
}

/** A key of the tables `versions` and `lease-keys`. */
export function encodeNumberedKey(number: number, key: string): Buffer {
  const bytes = Buffer.allocUnsafe(revisionBytes + Buffer.byteLength(key));
  bytes.writeUIntBE(number, 0, revisionBytes);
  bytes.write(key, revisionBytes);
  return bytes;
}

/** The key behind the number. */
export const decodeNumberedKey = (bytes: Buffer): string => bytes.toString("utf8", revisionBytes);

export function encodeRecord({ kind, index, previousRevision, entry }: VersionRecord): Buffer {
  const bytes = Buffer.allocUnsafe(headerBytes + entry.value.length);
  bytes[4] = kind === "put" ? kindPut : kindDelete;
  bytes.writeUInt16BE(index, 5);
  bytes.writeUIntBE(previousRevision, 7, 6);
  bytes.writeUIntBE(entry.createRevision, 13, 6);
  bytes.writeUInt32BE(entry.version, 19);
  bytes.writeUIntBE(entry.lease ?? 0, 23, 6);
  bytes.set(entry.value, headerBytes);
  bytes.writeUInt32BE(checksum(bytes), 0);
  return bytes;
}

/** Throws `CorruptStoreError` when the record is not as it was written. */
export function decodeRecord(key: string, modRevision: number, bytes: Buffer): VersionRecord {
  if (bytes.length < headerBytes || bytes.readUInt32BE(0) !== checksum(bytes)) {
    throw new CorruptStoreError(`the store is damaged: the record of ${key} at revision ${modRevision} cannot be read`);
  }
  const lease = bytes.readUIntBE(23, 6);
  return {
    kind: bytes[4] === kindPut ? "put" : "delete",
    index: bytes.readUInt16BE(5),
    previousRevision: bytes.readUIntBE(7, 6),
    entry: {
      key,
      value: bytes.subarray(headerBytes),
      createRevision: bytes.readUIntBE(13, 6),
      modRevision,
      version: bytes.readUInt32BE(19),
      lease: lease === 0 ? undefined : lease,
    },
  };
}

const checksum = (bytes: Buffer): number => crc32(bytes.subarray(4));
