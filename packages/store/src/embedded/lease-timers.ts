import type { Clock, Timer } from "@skiff/base";
import type { LeaseId } from "../store.ts";

interface Running {
  readonly ttlMs: number;
  expiresAtMs: number;
  timer: Timer;
}

/** Runs each lease's time out. `onExpire` is called once, and again after each `retry`. */
export class LeaseTimers {
  readonly #clock: Clock;
  readonly #onExpire: (id: LeaseId) => void;
  readonly #running = new Map<LeaseId, Running>();

  constructor(clock: Clock, onExpire: (id: LeaseId) => void) {
    this.#clock = clock;
    this.#onExpire = onExpire;
  }

  /** Gives a lease its whole time, whether it is new or running. */
  start(id: LeaseId, ttlMs: number): void {
    this.stop(id);
    const expiresAtMs = this.#clock.monotonic() + ttlMs;
    this.#running.set(id, { ttlMs, expiresAtMs, timer: this.#arm(id, ttlMs) });
  }

  /** Gives a running lease its whole time again. */
  restart(id: LeaseId): void {
    const running = this.#running.get(id);
    // The timer stays: it looks at the time when it fires. Leases are kept alive far more often than they end.
    if (running !== undefined) running.expiresAtMs = this.#clock.monotonic() + running.ttlMs;
  }

  /** Lets an expired lease that could not be ended expire again in `delayMs`. */
  retry(id: LeaseId, delayMs: number): void {
    const running = this.#running.get(id);
    if (running === undefined) return;
    running.timer.cancel();
    running.timer = this.#arm(id, delayMs);
  }

  stop(id: LeaseId): void {
    this.#running.get(id)?.timer.cancel();
    this.#running.delete(id);
  }

  stopAll(): void {
    for (const id of [...this.#running.keys()]) this.stop(id);
  }

  #arm(id: LeaseId, delayMs: number): Timer {
    return this.#clock.after(delayMs, () => {
      const running = this.#running.get(id);
      if (running === undefined) return;
      const leftMs = running.expiresAtMs - this.#clock.monotonic();
      if (leftMs > 0) running.timer = this.#arm(id, leftMs);
      else this.#onExpire(id);
    });
  }
}
