import { join } from "node:path";
import { CorruptStoreError } from "../store.ts";
import { type LogStart, logNames } from "./commit-log.ts";
import type { Headroom } from "./headroom.ts";
import { readLog } from "./read-log.ts";
import { decodeNumber, encodeNumber, identityBytes } from "./records.ts";
import { demandOf } from "./table-writes.ts";
import { metaKeys, type Tables } from "./tables.ts";

/**
 * Brings to the tables what the log holds beyond them, in one transaction; gives where the log goes on. There is
 * room on the disk for it: it was made sure of before each entry was logged.
 */
export async function replayLog(folder: string, tables: Tables, headroom: Headroom): Promise<LogStart> {
  const files = logNames.map((name) => join(folder, name));
  const identity = tables.meta.get(metaKeys.identity) ?? Buffer.alloc(identityBytes);
  const noted = tables.meta.get(metaKeys.logged);
  const logged = noted === undefined ? 0 : decodeNumber(noted);
  const entries = readLog(files, logged);
  const [first, last] = [entries[0], entries.at(-1)];
  if (first === undefined || last === undefined) return { identity, sequence: logged };
  let revision = 1;
  for (const key of tables.versions.getKeys({ reverse: true, limit: 1 })) revision = decodeNumber(key);
  if (first.revisionBefore !== revision || entries.some((entry) => !entry.identity.equals(identity))) {
    throw new CorruptStoreError(`${files.join(", ")}: the log does not belong to the tables beside it`);
  }
  const writes = entries.flatMap((entry) => entry.writes);
  headroom.require(demandOf(writes, true));
  await tables.root.batch(() => {
    for (const { table, key, value } of writes) {
      if (value === undefined) void tables[table].remove(key);
      else void tables[table].put(key, value);
    }
    void tables.meta.put(metaKeys.logged, encodeNumber(last.sequence));
  });
  headroom.spent();
  return { identity, sequence: last.sequence };
}
