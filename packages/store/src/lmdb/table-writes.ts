import type { WriteGroup } from "../embedded/storage.ts";
import type { KeyValue, StoreEvent, StoreEventBatch } from "../store.ts";
import { type Demand, pagesPerChange } from "./headroom.ts";
import { encodeNumber, encodeNumberedKey, encodeRecord } from "./records.ts";
import { metaKeys, type TableName, type Tables } from "./tables.ts";

/** One change of one table's entry, as it is noted in the log and made in the tables. Making it twice changes nothing more. */
export interface TableWrite {
  readonly table: TableName;
  readonly key: Buffer;
  /** Absent where the entry is removed. */
  readonly value: Buffer | undefined;
}

/** What a group changes in the tables, other than `live`: in the order in which it must be written. */
export function writesOf(group: WriteGroup): TableWrite[] {
  const writes: TableWrite[] = [];
  for (const batch of group.batches) addBatch(writes, batch);
  for (const { id, ttlMs } of group.grantedLeases) {
    writes.push({ table: "leases", key: encodeNumber(id), value: encodeNumber(ttlMs) });
    writes.push({ table: "meta", key: metaKeys.lastLease, value: encodeNumber(id) });
  }
  for (const id of group.endedLeases) writes.push({ table: "leases", key: encodeNumber(id), value: undefined });
  if (group.compactedRevision !== undefined) {
    writes.push({ table: "meta", key: metaKeys.compacted, value: encodeNumber(group.compactedRevision) });
  }
  return writes;
}

function addBatch(writes: TableWrite[], { revision, events }: StoreEventBatch): void {
  let index = 0;
  const versions: TableWrite[] = [];
  for (const event of events) {
    const { previous } = event;
    const key = event.kind === "put" ? event.current.key : event.key;
    const entry = event.kind === "put" ? event.current : tombstone(event);
    const record = { kind: event.kind, index: index++, previousRevision: previous?.modRevision ?? 0, entry };
    versions.push({ table: "versions", key: encodeNumberedKey(revision, key), value: encodeRecord(record) });
    if (previous?.lease === entry.lease) continue;
    if (previous?.lease !== undefined) {
      writes.push({ table: "lease-keys", key: encodeNumberedKey(previous.lease, key), value: undefined });
    }
    if (entry.lease !== undefined) {
      writes.push({ table: "lease-keys", key: encodeNumberedKey(entry.lease, key), value: Buffer.of(1) });
    }
  }
  // Each goes to the table's end, which LMDB does cheaply and without leaving room in its pages, but only in order.
  if (versions.length > 1) versions.sort((a, b) => Buffer.compare(a.key, b.key));
  for (const write of versions) writes.push(write);
}

const tombstone = (event: StoreEvent & { readonly kind: "delete" }): KeyValue => ({
  ...event.previous,
  value: new Uint8Array(),
  modRevision: event.modRevision,
  lease: undefined,
});

/** Queues writes for the tables' next transaction; their own promises say nothing that the transaction's does not. */
export function putWrites(tables: Tables, writes: readonly TableWrite[]): void {
  for (const { table, key, value } of writes) {
    if (value === undefined) void tables[table].remove(key);
    else if (table === "versions") void tables.versions.put(key, value, atTheEnd);
    else void tables[table].put(key, value);
  }
}

const atTheEnd = { append: true };

/** What the disk must have room for to make writes in one transaction. `frees` is true for what may use the reserve. */
export function demandOf(writes: readonly TableWrite[], frees: boolean): Demand {
  let pages = 0;
  let bytes = 0;
  for (const { table, key, value } of writes) {
    if (table !== "versions") pages += pagesPerChange;
    // Every record has a header, and its node another one.
    if (value !== undefined) bytes += value.length + key.length + recordOverheadBytes;
  }
  return { pages, bytes, frees };
}

const recordOverheadBytes = 64;

/** True for a group that only takes away: it makes room in the end. */
export const frees = ({ batches }: WriteGroup): boolean =>
  batches.every(({ events }) => events.every(({ kind }) => kind === "delete"));
