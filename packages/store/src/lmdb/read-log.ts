import { existsSync, readFileSync } from "node:fs";
import { CorruptStoreError } from "../store.ts";
import { blockBytes, type LogEntry, readEntry } from "./log-entry.ts";

/**
 * The entries of both log files that follow the entry `logged`, which the tables hold with all before it. Throws
 * `CorruptStoreError` where one is damaged that others follow; a damaged one at the very end was never acknowledged.
 */
export function readLog(files: readonly string[], logged: number): readonly LogEntry[] {
  const entries = files.flatMap((file) => readFile(file, logged));
  entries.sort((a, b) => a.sequence - b.sequence);
  let expected = logged;
  for (const { sequence } of entries) {
    expected++;
    if (sequence !== expected) {
      throw new CorruptStoreError(
        `${files.join(", ")}: the log is damaged: entry ${expected} is missing before ${sequence}. Restore the folder from a snapshot`,
      );
    }
  }
  return entries;
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
