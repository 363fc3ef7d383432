/** How a delay grows with each failure. */
export interface BackoffPolicy {
  /** The delay after the first failure. */
  readonly initialMs: number;
  /** No delay is longer. */
  readonly maxMs: number;
  /** By how much each delay outgrows the one before; 2 where not given. */
  readonly factor?: number;
}

/** The delay after the given number of failures in a row (1 or more). */
export const backoffDelayMs = (policy: BackoffPolicy, failures: number): number =>
  Math.min(policy.maxMs, policy.initialMs * (policy.factor ?? 2) ** Math.max(0, failures - 1));

/** Delays kept per key: each `fail` gives the next longer one, `reset` forgets. */
export class KeyedBackoff<Key> {
  readonly #policy: BackoffPolicy;
  readonly #failures = new Map<Key, number>();

  constructor(policy: BackoffPolicy) {
    this.#policy = policy;
  }

  /** Counts a failure and returns how long to wait, in milliseconds. */
  fail(key: Key): number {
    const failures = (this.#failures.get(key) ?? 0) + 1;
    this.#failures.set(key, failures);
    return backoffDelayMs(this.#policy, failures);
  }

  failures(key: Key): number {
    return this.#failures.get(key) ?? 0;
  }

  reset(key: Key): void {
    this.#failures.delete(key);
  }
}
