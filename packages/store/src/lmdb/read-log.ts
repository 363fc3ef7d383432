import { existsSync, readFileSync } from "node:fs";
import { CorruptStoreError } from "../store.ts";
import { blockBytes, type LogEntry, readEntry } from "./log-entry.ts";

/** What the log holds beyond the tables. */
export interface LogContent {
  readonly entries: readonly LogEntry[];
  /** The highest sequence that is found, or was used: none up to it may be used again. */
  readonly lastSequence: number;
}

/**
 * The entries of both log files that follow the entry `logged`, which the tables hold with all before it. Two may have been
 * written at once: where the earlier is missing or damaged, the later counts for nothing, since neither was acknowledged.
 * Throws `CorruptStoreError` where one is missing that was: a later one was written when it was durable.
 */
export function readLog(files: readonly string[], logged: number): LogContent {
  const found = files.flatMap((file) => readFile(file, logged));
  found.sort((a, b) => a.sequence - b.sequence);
  const lastSequence = found.at(-1)?.sequence ?? logged;
  const gap = found.findIndex(({ sequence }, index) => sequence !== logged + 1 + index);
  if (gap < 0) return { entries: found, lastSequence };
  const missing = logged + 1 + gap;
  const witness = found.slice(gap).find(({ durable }) => durable >= missing);
  if (witness !== undefined) {
    throw new CorruptStoreError(
      `${files.join(", ")}: the log is damaged: entry ${missing} is missing before ${witness.sequence}. Restore the folder from a snapshot`,
    );
  }
  return { entries: found.slice(0, gap), lastSequence };
}

/**
 * Every block is looked at, not only up to the first that is no entry: behind the newest entry lie older ones, which do no
 * harm, but newer ones behind something unreadable show that it was damaged, not cut off.
 */
function readFile(file: string, logged: number): LogEntry[] {
  if (!existsSync(file)) return [];
  const bytes = readFileSync(file);
  const entries: LogEntry[] = [];
  for (let at = 0; at < bytes.length; ) {
    const found = readEntry(bytes, at);
    if (found !== undefined && found.entry.sequence > logged) entries.push(found.entry);
    at += found?.size ?? blockBytes;
  }
  return entries;
}
