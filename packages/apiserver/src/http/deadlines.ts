import { refusals } from "@skiff/api";
import type { Clock, Timer } from "@skiff/base";
import type { BaseExchange } from "../exchange/base-exchange.ts";
import { requestTimeoutMs } from "./request-timeout.ts";
import { respondError } from "./respond-error.ts";

/**
 * Answers requests that take too long with 504. All have the same time unless they ask for less, so that they fall due in the
 * order in which they came: one timer is enough for all of them.
 */
export class Deadlines implements Disposable {
  readonly #clock: Clock;
  readonly #open = new Map<BaseExchange, number>();
  #timer: Timer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Watches over a request until what it gives is called. `timeoutMs`: less than the usual time. */
  add(exchange: BaseExchange, timeoutMs: number | undefined): () => void {
    if (timeoutMs !== undefined) {
      const timer = this.#clock.after(timeoutMs, () => expire(exchange));
      return () => timer.cancel();
    }
    this.#open.set(exchange, this.#clock.monotonic() + requestTimeoutMs);
    if (this.#timer === undefined) this.#arm(requestTimeoutMs);
    return () => void this.#open.delete(exchange);
  }

  [Symbol.dispose](): void {
    this.#timer?.cancel();
  }

  #arm(delayMs: number): void {
    this.#timer = this.#clock.after(delayMs, () => this.#check());
  }

  #check(): void {
    this.#timer = undefined;
    const nowMs = this.#clock.monotonic();
    for (const [exchange, dueMs] of this.#open) {
      if (dueMs > nowMs) {
        this.#arm(dueMs - nowMs);
        return;
      }
      this.#open.delete(exchange);
      expire(exchange);
    }
  }
}

function expire(exchange: BaseExchange): void {
  if (exchange.status === 0) {
    respondError(exchange, refusals.timeout("request did not complete within the allotted timeout"));
  }
  exchange.stop();
}
