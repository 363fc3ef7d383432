import type { Service } from "@skiff/api";
import type { Operation } from "@skiff/store";
import type { Claims } from "./service-claims.ts";

/** What was taken for one write of a Service; exactly one of `commit` and `rollback` is called. */
export interface Reservation {
  /** What goes into the transaction beside the object itself; nothing where absent. */
  readonly claims?: Claims;
  /** The write is in the store: what the Service no longer uses is free again. */
  commit(): void;
  /** The write failed: what was taken for it is free again, and the object is as it was before. */
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
  /** What goes into the transaction that deletes a Service. */
  unclaim(service: Service): readonly Operation[];
  /** A Service is gone. */
  release(service: Service): void;
}
