import type { Service } from "@skiff/api";

/** What was taken for one write of a Service; exactly one of `commit` and `rollback` is called. */
export interface Reservation {
  /** The write is in the store: what the Service no longer uses is free again. */
  commit(): void;
  /** The write failed: what was taken for it is free again. */
  rollback(): void;
}

/**
 * Addresses and node ports of Services, so that no two have the same. Storage calls it between admission and commit.
 */
export interface ServiceAllocation {
  /**
   * Fills in `clusterIP`, `clusterIPs`, `nodePort`, … of a Service that is created or changed (`old`).
   * Throws `StatusError` 422 for what is taken or out of range. With `dryRun` nothing stays taken.
   */
  reserve(service: Service, old: Service | undefined, options: { readonly dryRun: boolean }): Reservation;
  /** A Service is gone. */
  release(service: Service): void;
}
