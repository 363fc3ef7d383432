import { crc32 } from "node:zlib";
import { identityBytes, tableNames } from "./records.ts";
import type { TableWrite } from "./table-writes.ts";

/*
 * An entry of the commit log: what one group changes. It begins at a multiple of `blockBytes`, so that no block is written
 * again after an entry in it was acknowledged. Numbers big-endian:
 *
 *   0  checksum (4) of what follows   4  length (4)   8  sequence (6)   14  revision before the group (6)   20  writes (4)
 *   24 the store's identity (8)
 *   32 for each write: table (1)   key's length (2)   value's length + 1, or 0 where the entry is removed (4)   key   value
 */

/** Entries begin at multiples of it. */
export const blockBytes = 4096;

const headerBytes = 32;
const writeHeaderBytes = 7;

/** What an entry says. */
export interface LogEntry {
  readonly identity: Buffer;
  /** One more than that of the entry before it. */
  readonly sequence: number;
  /** The store's revision before the group. */
  readonly revisionBefore: number;
  readonly writes: readonly TableWrite[];
}

/** How many bytes of the log an entry takes. */
export function entryBytes(writes: readonly TableWrite[]): number {
  let bytes = headerBytes;
  for (const { key, value } of writes) bytes += writeHeaderBytes + key.length + (value?.length ?? 0);
  return Math.ceil(bytes / blockBytes) * blockBytes;
}

/** Writes an entry to the beginning of `bytes`, which must have room for it. */
export function encodeEntry({ identity, sequence, revisionBefore, writes }: LogEntry, bytes: Buffer): void {
  let at = headerBytes;
  for (const { table, key, value } of writes) {
    bytes[at] = tableNames.indexOf(table);
    bytes.writeUInt16BE(key.length, at + 1);
    bytes.writeUInt32BE(value === undefined ? 0 : value.length + 1, at + 3);
    bytes.set(key, at + writeHeaderBytes);
    at += writeHeaderBytes + key.length;
    if (value === undefined) continue;
    bytes.set(value, at);
    at += value.length;
  }
  bytes.writeUInt32BE(at, 4);
  bytes.writeUIntBE(sequence, 8, 6);
  bytes.writeUIntBE(revisionBefore, 14, 6);
  bytes.writeUInt32BE(writes.length, 20);
  bytes.set(identity, 24);
  bytes.fill(0, at, Math.ceil(at / blockBytes) * blockBytes);
  bytes.writeUInt32BE(crc32(bytes.subarray(4, at)), 0);
}

/** The sequence of the entry that begins at `at`; nothing where no undamaged entry does. */
export function sequenceAt(bytes: Buffer, at: number): number | undefined {
  if (at + headerBytes > bytes.length) return undefined;
  const length = bytes.readUInt32BE(at + 4);
  if (length < headerBytes || at + length > bytes.length) return undefined;
  if (crc32(bytes.subarray(at + 4, at + length)) !== bytes.readUInt32BE(at)) return undefined;
  return bytes.readUIntBE(at + 8, 6);
}

/** Reads the entry that begins at `at`, which `sequenceAt` has found there. */
export function decodeEntry(bytes: Buffer, at: number): LogEntry {
  const writes: TableWrite[] = [];
  let next = at + headerBytes;
  for (let left = bytes.readUInt32BE(at + 20); left > 0; left--) {
    const table = tableNames[bytes[next] ?? tableNames.length];
    if (table === undefined) throw new RangeError("the log names a table that does not exist");
    const keyEnd = next + writeHeaderBytes + bytes.readUInt16BE(next + 1);
    const valueSize = bytes.readUInt32BE(next + 3);
    const key = bytes.subarray(next + writeHeaderBytes, keyEnd);
    next = valueSize === 0 ? keyEnd : keyEnd + valueSize - 1;
    writes.push({ table, key, value: valueSize === 0 ? undefined : bytes.subarray(keyEnd, next) });
  }
  return {
    identity: bytes.subarray(at + 24, at + 24 + identityBytes),
    sequence: bytes.readUIntBE(at + 8, 6),
    revisionBefore: bytes.readUIntBE(at + 14, 6),
    writes,
  };
}

/** Where the entry after the one at `at` begins. */
export const nextEntryAt = (bytes: Buffer, at: number): number =>
  at + Math.ceil(bytes.readUInt32BE(at + 4) / blockBytes) * blockBytes;
