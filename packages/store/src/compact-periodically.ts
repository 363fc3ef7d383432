import { type Clock, describeError, isAbort, type Logger } from "@skiff/base";
import type { Store } from "./store.ts";

/** What `compactPeriodically` needs. */
export interface CompactionSchedule {
  readonly clock: Clock;
  readonly logger: Logger;
  /** How often to compact, and how much history is kept at least: 5 minutes in Kubernetes. */
  readonly intervalMs: number;
  readonly signal: AbortSignal;
}

/** Kubernetes' interval (`--etcd-compaction-interval`). */
export const compactionIntervalMs = 5 * 60_000;

/**
 * Compacts, at every interval, to the revision that was current one interval before, so that a read or watch may always
 * go back that far. Returns when the signal is aborted; a compaction that fails is logged and left to the next interval.
 */
export async function compactPeriodically(store: Store, schedule: CompactionSchedule): Promise<void> {
  const { clock, logger, intervalMs, signal } = schedule;
  let revision = store.revision;
  while (!signal.aborted) {
    try {
      await clock.sleep(intervalMs, signal);
      const current = store.revision;
      await store.compact(revision);
      revision = current;
    } catch (error) {
      if (isAbort(error, signal)) return;
      logger.warn(`compaction failed: ${describeError(error)}`, { revision });
    }
  }
}
