import { DatabaseSync } from "node:sqlite";
import { CorruptStoreError, StoreLockedError } from "../store.ts";

const sqliteBusy = 5;
const sqliteNotADatabase = 26;

/**
 * Holds a lock that the kernel releases when the process ends, however it ends: no stale lock files, no guessing from
 * process IDs. Node offers no file locks of its own; an (empty) SQLite database that is locked exclusively is one.
 * Throws `StoreLockedError` when somebody holds it.
 */
export function lockFile(file: string): Disposable {
  const database = new DatabaseSync(file);
  try {
    database.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
  } catch (error) {
    database.close();
    const code = error instanceof Error && "errcode" in error ? error.errcode : undefined;
    if (code === sqliteBusy)
      throw new StoreLockedError(`${file} is locked: the store is open already`, { cause: error });
    if (code === sqliteNotADatabase)
      throw new CorruptStoreError(`${file} is not a lock file of a store`, { cause: error });
    throw error;
  }
  return { [Symbol.dispose]: () => database.close() };
}
