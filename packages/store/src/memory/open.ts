import { type Clock, silentLogger } from "@skiff/base";
import { EmbeddedEngine } from "../embedded/embedded-engine.ts";
import { exportStorage } from "../lmdb/open.ts";
import type { EmbeddedStore } from "../store.ts";
import { MemoryStorage } from "./memory-storage.ts";

/** A store that lives and dies with the process, for tests. `clock` runs its leases out. */
export function openMemoryStore(options: { readonly clock: Clock }): EmbeddedStore {
  const storage = new MemoryStorage({ snapshot: exportStorage });
  return new EmbeddedEngine(storage, { clock: options.clock, logger: silentLogger });
}
