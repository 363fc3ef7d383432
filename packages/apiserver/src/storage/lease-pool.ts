import type { Clock } from "@skiff/base";
import type { LeaseId, Store } from "@skiff/store";

/** Objects written within this time share a lease, so that an Event costs one write, not two. */
const sharedMs = 60_000;

interface Shared {
  readonly id: Promise<LeaseId>;
  readonly untilMs: number;
}

/** Leases for objects that end by themselves. */
export class LeasePool {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #byTtl = new Map<number, Shared>();

  constructor(store: Store, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** A lease that lives for `ttlMs` at least, and no more than a minute longer. */
  lease(ttlMs: number): Promise<LeaseId> {
    const now = this.#clock.monotonic();
    const known = this.#byTtl.get(ttlMs);
    if (known !== undefined && now < known.untilMs) return known.id;
    const id = this.#store.grantLease(ttlMs + sharedMs).then((lease) => lease.id);
    this.#byTtl.set(ttlMs, { id, untilMs: now + sharedMs });
    // A lease that could not be had is asked for anew by the next.
    id.catch(() => this.#byTtl.delete(ttlMs));
    return id;
  }
}
