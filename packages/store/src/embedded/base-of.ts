import type { KeyValue, LeaseId } from "../store.ts";
import type { Storage, StoredLease } from "./storage.ts";

/** Where a storage's remaining history begins: its transactions from `compactedRevision` on lead from here to the present. */
export interface Base {
  /** The entries just before `compactedRevision`, in no particular order. */
  readonly entries: readonly KeyValue[];
  readonly compactedRevision: number;
  /** The leases as they are now; those that ended meanwhile are not needed to repeat what followed. */
  readonly leases: readonly StoredLease[];
  readonly lastLeaseId: LeaseId;
}

/** The present state with all remaining history undone. */
export function baseOf(storage: Storage): Base {
  const { compactedRevision, leases, lastLeaseId } = storage;
  const entries = new Map<string, KeyValue>();
  for (const entry of storage.entries({ start: "", end: "\u{10FFFF}" })) entries.set(entry.key, entry);
  const undone = new Set<string>();
  for (const { events } of storage.changes(compactedRevision, Number.MAX_SAFE_INTEGER)) {
    for (const event of events) {
      const key = event.kind === "put" ? event.current.key : event.key;
      if (undone.has(key)) continue;
      undone.add(key);
      if (event.previous === undefined) entries.delete(key);
      else entries.set(key, event.previous);
    }
  }
  return { entries: [...entries.values()], compactedRevision, leases, lastLeaseId };
}
