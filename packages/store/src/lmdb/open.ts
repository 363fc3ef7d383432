import { existsSync } from "node:fs";
import { mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { type Clock, type Logger, silentLogger, systemClock } from "@skiff/base";
import { baseOf } from "../embedded/base-of.ts";
import { EmbeddedEngine } from "../embedded/embedded-engine.ts";
import type { Storage } from "../embedded/storage.ts";
import { type EmbeddedStore, InvalidRequestError } from "../store.ts";
import { CommitLog, logNames, type Pace } from "./commit-log.ts";
import { Headroom, requireRoom } from "./headroom.ts";
import { inspectFile } from "./inspect-file.ts";
import { LmdbStorage } from "./lmdb-storage.ts";
import { lockFile } from "./process-lock.ts";
import { replayLog } from "./replay-log.ts";
import { createTables, openTables, type Tables } from "./tables.ts";

const dataName = "data.mdb";
const lockName = "lock";
const defaultQuickDiskMs = 0.5;
const draftName = "data.mdb.draft";

export interface LmdbStoreOptions {
  /** Where the store's files are; created when absent. On a local disk: LMDB maps them into memory. */
  readonly folder: string;
  /** Runs leases out, and tells how quick the disk is. */
  readonly clock: Clock;
  /**
   * While a write to the disk takes less than this many milliseconds, it is waited for rather than left to another thread;
   * 0 never does. 0.5 where not given.
   */
  readonly quickDiskMs?: number;
  readonly logger: Logger;
}

/**
 * Opens the store in a folder, or creates it there. Throws `StoreLockedError` while it is open elsewhere, and
 * `CorruptStoreError` when the files are damaged or something else; it has then changed nothing.
 */
export async function openLmdbStore(options: LmdbStoreOptions): Promise<EmbeddedStore> {
  const { folder, clock, logger } = options;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const pace = { clock, quickDiskMs: options.quickDiskMs ?? defaultQuickDiskMs };
  return new EmbeddedEngine(await openStorage(folder, pace, logger), { clock, logger });
}

async function openStorage(folder: string, pace: Pace, logger: Logger): Promise<LmdbStorage> {
  const file = join(folder, dataName);
  // Without a lock file nobody has opened the folder yet: then look before putting anything there.
  if (existsSync(file) && !existsSync(join(folder, lockName))) inspectFile(file);
  await using stack = new AsyncDisposableStack();
  stack.use(lockFile(join(folder, lockName)));
  if (existsSync(file)) inspectFile(file);
  else {
    requireRoom(file);
    await createFile(folder, createTables);
  }
  const tables = openTables(file);
  stack.defer(() => tables.root.close());
  const headroom = stack.use(new Headroom(file));
  const start = await replayLog(folder, tables, headroom);
  const log = await CommitLog.open(folder, start, pace);
  if (log === undefined) logger.warn("the disk has no room for the store's log: commits are slower without it");
  else stack.use(log);
  let owned: AsyncDisposableStack | undefined;
  const release = async () => await owned?.disposeAsync();
  const storage = new LmdbStorage(tables, { headroom, log, logger, snapshot: copyTables, release });
  owned = stack.move();
  return storage;
}

/** Writes what a storage holds to an empty or absent folder, as a store that `openLmdbStore` opens. */
export async function exportStorage(source: Storage, folder: string): Promise<void> {
  await prepareFolder(folder);
  const target = await openStorage(folder, { clock: systemClock, quickDiskMs: defaultQuickDiskMs }, silentLogger);
  try {
    await target.fill(baseOf(source));
    const batches = source.changes(source.compactedRevision, Number.MAX_SAFE_INTEGER);
    const unchanged = { grantedLeases: [], endedLeases: [], compactedRevision: undefined };
    if (batches.length > 0) await target.write({ batches, ...unchanged });
  } finally {
    await target.close();
  }
  for (const name of [lockName, ...logNames]) await rm(join(folder, name), { force: true });
}

async function copyTables(tables: Tables, folder: string): Promise<void> {
  await prepareFolder(folder);
  await createFile(folder, (draft) => tables.root.backup(draft, false));
}

async function prepareFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  if ((await readdir(folder)).length > 0) throw new InvalidRequestError(`${folder} is not empty`);
}

/** Writes the data file aside and moves it to its place when it is complete: there never is half a file there. */
async function createFile(folder: string, write: (draft: string) => Promise<void>): Promise<void> {
  const draft = join(folder, draftName);
  for (const name of await readdir(folder)) if (name.startsWith(draftName)) await rm(join(folder, name));
  await write(draft);
  await sync(draft);
  await rename(draft, join(folder, dataName));
  await rm(`${draft}-lock`, { force: true });
  await sync(folder);
}

async function sync(path: string): Promise<void> {
  await using file = await open(path, "r");
  await file.sync();
}
