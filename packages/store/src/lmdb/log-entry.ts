import { crc32 } from "node:zlib";
import { identityBytes, tableNames } from "./records.ts";
import type { TableWrite } from "./table-writes.ts";

/*
 * An entry of the commit log: what one group changes. It begins at a multiple of `blockBytes`, so that no block is written
 * again after an entry in it was acknowledged. Numbers big-endian:
 *
 *   0  checksum (4) of the head, that is from 4 to `head's end`   4  length (4)   8  sequence (6)   14  revision before the group (6)
 *   20 writes (4)   24 the store's identity (8)   32 head's end (4)
 *   36 for each write: table (1)   key's length (2)   value's length + 1, or 0 where the entry is removed (4)   key   value
 *
 * Records of the table `versions` carry a checksum of their own in their first four bytes. The head has only these in the place of
 * the value; the records follow it one after the other, and are not summed up twice.
 */

/** Entries begin at multiples of it. */
export const blockBytes = 4096;

const headerBytes = 36;
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

const summed = "versions";
const recordSumBytes = 4;

/** How much of a write is in the head. */
const headBytes = ({ table, key, value }: TableWrite): number =>
  writeHeaderBytes + key.length + (value === undefined ? 0 : table === summed ? recordSumBytes : value.length);

/** How many bytes of the log an entry takes. */
export function entryBytes(writes: readonly TableWrite[]): number {
  let bytes = headerBytes;
  for (const write of writes) {
    bytes += headBytes(write) + (write.table === summed ? (write.value?.length ?? 0) : 0);
  }
  return Math.ceil(bytes / blockBytes) * blockBytes;
}

/** Writes an entry to the beginning of `bytes`, which must have room for it. */
export function encodeEntry({ identity, sequence, revisionBefore, writes }: LogEntry, bytes: Buffer): void {
  let headEnd = headerBytes;
  for (const write of writes) headEnd += headBytes(write);
  let at = headerBytes;
  let recordAt = headEnd;
  for (const { table, key, value } of writes) {
    bytes[at] = tableNames.indexOf(table);
    bytes.writeUInt16BE(key.length, at + 1);
    bytes.writeUInt32BE(value === undefined ? 0 : value.length + 1, at + 3);
    bytes.set(key, at + writeHeaderBytes);
    at += writeHeaderBytes + key.length;
    if (value === undefined) continue;
    if (table === summed) {
      bytes.writeUInt32BE(value.readUInt32BE(0), at);
      at += recordSumBytes;
      bytes.set(value, recordAt);
      recordAt += value.length;
    } else {
      bytes.set(value, at);
      at += value.length;
    }
  }
  bytes.writeUInt32BE(recordAt, 4);
  bytes.writeUIntBE(sequence, 8, 6);
  bytes.writeUIntBE(revisionBefore, 14, 6);
  bytes.writeUInt32BE(writes.length, 20);
  bytes.set(identity, 24);
  bytes.writeUInt32BE(headEnd, 32);
  bytes.fill(0, recordAt, Math.ceil(recordAt / blockBytes) * blockBytes);
  bytes.writeUInt32BE(crc32(bytes.subarray(4, headEnd)), 0);
}

/** The entry that begins at `at`, and how many bytes it takes; nothing where no undamaged entry begins. */
export function readEntry(bytes: Buffer, at: number): { readonly entry: LogEntry; readonly size: number } | undefined {
  if (at + headerBytes > bytes.length) return undefined;
  const length = bytes.readUInt32BE(at + 4);
  const headEnd = bytes.readUInt32BE(at + 32);
  if (headEnd < headerBytes || length < headEnd || at + length > bytes.length) return undefined;
  if (crc32(bytes.subarray(at + 4, at + headEnd)) !== bytes.readUInt32BE(at)) return undefined;
  const writes = readWrites(bytes.subarray(at, at + length), headEnd);
  if (writes === undefined) return undefined;
  const entry = {
    identity: bytes.subarray(at + 24, at + 24 + identityBytes),
    sequence: bytes.readUIntBE(at + 8, 6),
    revisionBefore: bytes.readUIntBE(at + 14, 6),
    writes,
  };
  return { entry, size: Math.ceil(length / blockBytes) * blockBytes };
}

/** The writes of an entry whose head is undamaged; nothing where one of its records is not. */
function readWrites(bytes: Buffer, headEnd: number): readonly TableWrite[] | undefined {
  const writes: TableWrite[] = [];
  let at = headerBytes;
  let recordAt = headEnd;
  for (let left = bytes.readUInt32BE(20); left > 0; left--) {
    const table = tableNames[bytes[at] ?? tableNames.length];
    if (table === undefined) throw new RangeError("the log names a table that does not exist");
    const keyEnd = at + writeHeaderBytes + bytes.readUInt16BE(at + 1);
    const size = bytes.readUInt32BE(at + 3) - 1;
    const key = bytes.subarray(at + writeHeaderBytes, keyEnd);
    let value: Buffer | undefined;
    if (size >= 0 && table === summed) {
      value = bytes.subarray(recordAt, recordAt + size);
      recordAt += size;
      const sum = bytes.readUInt32BE(keyEnd);
      if (value.length !== size || value.readUInt32BE(0) !== sum || crc32(value.subarray(recordSumBytes)) !== sum) {
        return undefined;
      }
    } else if (size >= 0) value = bytes.subarray(keyEnd, keyEnd + size);
    at = keyEnd + (value === undefined ? 0 : table === summed ? recordSumBytes : size);
    writes.push({ table, key, value });
  }
  return writes;
}
