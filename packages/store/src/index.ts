/**
 * The platform's database: etcd's model and words (`store.ts`), kept by several engines that one conformance suite
 * (`@skiff/store/conformance`) holds to the same promises. Bytes and keys only: no Kubernetes words here.
 *
 * - `openLmdbStore`: the default. Every commit is on the disk before it is answered; commits that come at the same time
 *   share one write (`embedded/group-writer.ts`), so that many writers cost hardly more than one.
 * - `openMemoryStore`: for tests, deterministic and fast.
 *
 * - `openEtcdStore`: etcd v3, for several servers. Loaded when it is first opened.
 *
 * The first two are an `EmbeddedEngine` (deciding, grouping, watches, leases) on a `Storage` (where the state is).
 *
 * @example
 * await using store = await openLmdbStore({ folder, clock, logger });
 * background.run("compaction", (signal) =>
 *   compactPeriodically(store, { clock, logger, signal, intervalMs: compactionIntervalMs }));
 * const result = await store.commit({
 *   compare: [{ key, modRevision: 0 }],
 *   operations: [{ kind: "put", key, value }],
 * });
 */
export { type CompactionSchedule, compactionIntervalMs, compactPeriodically } from "./compact-periodically.ts";
export type { EtcdStore, EtcdStoreOptions } from "./etcd/etcd-store.ts";
export { openEtcdStore } from "./etcd/open.ts";
export { type LmdbStoreOptions, openLmdbStore } from "./lmdb/open.ts";
export { openMemoryStore } from "./memory/open.ts";
export * from "./store.ts";
