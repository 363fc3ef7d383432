import { setImmediate } from "node:timers/promises";
import { compareKeys, inRange } from "../keys.ts";
import {
  CompactedError,
  FutureRevisionError,
  type KeyValue,
  type Range,
  type RangeOptions,
  type RangeResult,
} from "../store.ts";
import type { Storage } from "./storage.ts";

/** How many past transactions are undone at a time before others get their turn. */
const undoBatches = 1000;

/** A range as it is now. */
export function rangeNow(storage: Storage, range: Range, { limit = 0, countOnly = false }: RangeOptions): RangeResult {
  const { revision } = storage;
  if (countOnly) return { revision, entries: [], count: storage.count(range) };
  const entries: KeyValue[] = [];
  for (const entry of storage.entries(range)) {
    entries.push(entry);
    if (entries.length === limit) return { revision, entries, count: storage.count(range) };
  }
  return { revision, entries, count: entries.length };
}

/**
 * A range as it was: the present one with everything undone that came after `revision`. What a key was then is what the
 * first change after `revision` replaced. Should transactions come in while this waits its turn, they are undone as well.
 */
export async function rangeAt(
  storage: Storage,
  range: Range,
  options: RangeOptions & { readonly revision: number },
): Promise<RangeResult> {
  const { revision } = options;
  if (revision > storage.revision) throw new FutureRevisionError(`revision ${revision} does not exist yet`);
  const wanted = inRange(range);
  const before = new Map<string, KeyValue | undefined>();
  for (let next = revision + 1; ; await setImmediate()) {
    if (revision < storage.compactedRevision) throw new CompactedError(storage.compactedRevision);
    for (const batch of storage.changes(next, undoBatches)) {
      next = batch.revision + 1;
      for (const event of batch.events) {
        const key = event.kind === "put" ? event.current.key : event.key;
        if (!before.has(key) && wanted(key)) before.set(key, event.previous);
      }
    }
    if (next > storage.revision) return withUndone(storage, range, { before, options });
  }
}

function withUndone(
  storage: Storage,
  range: Range,
  past: { readonly before: ReadonlyMap<string, KeyValue | undefined>; readonly options: RangeOptions },
): RangeResult {
  const { before, options } = past;
  const { limit = 0, countOnly = false } = options;
  const changed = [...before.values()].filter((entry) => entry !== undefined);
  changed.sort((a, b) => compareKeys(a.key, b.key));
  let count = storage.count(range) + changed.length;
  for (const key of before.keys()) if (storage.get(key) !== undefined) count--;
  if (countOnly) return { revision: storage.revision, entries: [], count };
  const entries: KeyValue[] = [];
  const isFull = () => limit > 0 && entries.length >= limit;
  let index = 0;
  for (const entry of storage.entries(range)) {
    for (let old = changed[index]; old !== undefined && compareKeys(old.key, entry.key) <= 0; old = changed[++index]) {
      if (isFull()) break;
      entries.push(old);
    }
    if (isFull()) break;
    if (!before.has(entry.key)) entries.push(entry);
  }
  for (; index < changed.length && !isFull(); index++) {
    const old = changed[index];
    if (old !== undefined) entries.push(old);
  }
  return { revision: storage.revision, entries, count };
}
