import { compareKeys } from "../keys.ts";
import type { KeyValue, Range } from "../store.ts";

const longestChunk = 512;

/**
 * Entries in order of their keys' UTF-8 bytes: a map for single keys beside a list of short sorted arrays for ranges, so
 * that an insertion moves a few hundred entries at most, however many there are.
 */
export class SortedMap {
  readonly #entries = new Map<string, KeyValue>();
  readonly #chunks: string[][] = [];

  get(key: string): KeyValue | undefined {
    return this.#entries.get(key);
  }

  set(entry: KeyValue): void {
    const { key } = entry;
    const isNew = !this.#entries.has(key);
    this.#entries.set(key, entry);
    if (!isNew) return;
    const at = Math.max(0, this.#chunkOf(key));
    const chunk = this.#chunks[at];
    if (chunk === undefined) {
      this.#chunks.push([key]);
      return;
    }
    chunk.splice(firstAtOrAfter(chunk, key), 0, key);
    if (chunk.length > longestChunk) this.#chunks.splice(at + 1, 0, chunk.splice(longestChunk / 2));
  }

  delete(key: string): void {
    if (!this.#entries.delete(key)) return;
    const at = this.#chunkOf(key);
    const chunk = this.#chunks[at];
    chunk?.splice(firstAtOrAfter(chunk, key), 1);
    if (chunk?.length === 0) this.#chunks.splice(at, 1);
  }

  *range({ start, end }: Range): Generator<KeyValue> {
    for (let at = Math.max(0, this.#chunkOf(start)); at < this.#chunks.length; at++) {
      const chunk = this.#chunks[at] ?? [];
      for (let index = firstAtOrAfter(chunk, start); index < chunk.length; index++) {
        const entry = this.#entries.get(chunk[index] ?? "");
        if (entry === undefined || compareKeys(entry.key, end) >= 0) return;
        yield entry;
      }
    }
  }

  count({ start, end }: Range): number {
    let count = 0;
    for (let at = Math.max(0, this.#chunkOf(start)); at < this.#chunks.length; at++) {
      const chunk = this.#chunks[at] ?? [];
      const [first = ""] = chunk;
      if (compareKeys(first, end) >= 0) break;
      count += Math.max(0, firstAtOrAfter(chunk, end) - firstAtOrAfter(chunk, start));
    }
    return count;
  }

  /** The last chunk whose first key is not above `key`; -1 when all are. */
  #chunkOf(key: string): number {
    let low = 0;
    let high = this.#chunks.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (compareKeys(this.#chunks[middle]?.[0] ?? "", key) <= 0) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}

function firstAtOrAfter(keys: readonly string[], key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compareKeys(keys[middle] ?? "", key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
