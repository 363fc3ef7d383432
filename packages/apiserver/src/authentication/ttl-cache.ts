import type { Clock } from "@skiff/base";

/** Remembers values for a while, the newest of them. Keys may be secrets: callers hash them. */
export class TtlCache<Value> {
  readonly #clock: Clock;
  readonly #limit: number;
  readonly #entries = new Map<string, { readonly value: Value; readonly untilMs: number }>();

  constructor(clock: Clock, limit: number) {
    this.#clock = clock;
    this.#limit = limit;
  }

  get(key: string): Value | undefined {
    const found = this.#entries.get(key);
    if (found === undefined) return undefined;
    if (found.untilMs > this.#clock.monotonic()) return found.value;
    this.#entries.delete(key);
    return undefined;
  }

  /** Nothing is remembered for 0 ms. */
  set(key: string, value: Value, ttlMs: number): void {
    if (ttlMs <= 0) return;
    this.#entries.delete(key);
    if (this.#entries.size >= this.#limit) {
      const [oldest] = this.#entries.keys();
      if (oldest !== undefined) this.#entries.delete(oldest);
    }
    this.#entries.set(key, { value, untilMs: this.#clock.monotonic() + ttlMs });
  }
}
