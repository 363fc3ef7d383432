import { type BackoffPolicy, type Clock, KeyedBackoff, type Timer } from "@skiff/base";
import { Durations, type QueueStats } from "./queue-metrics.ts";

/** Delays after failures, as Kubernetes' controllers have them. */
export const retryPolicy: BackoffPolicy = { initialMs: 5, maxMs: 1_000_000 };

interface Delayed {
  readonly dueMs: number;
  readonly timer: Timer;
}

/**
 * Keys that wait for work. A key waits at most once, however often it is added, and is worked on by one at a time: added
 * while it is being worked on, it waits until that is finished. So it holds no more keys than there are objects.
 */
export class WorkQueue implements Disposable {
  readonly #clock: Clock;
  readonly #onReady: () => void;
  /** Since when a key is ready, and since when it is taken (monotonic). */
  readonly #ready = new Map<string, number>();
  readonly #active = new Map<string, number>();
  readonly #addedMeanwhile = new Set<string>();
  readonly #delayed = new Map<string, Delayed>();
  readonly #backoff: KeyedBackoff<string>;
  readonly #restMs: number;
  /** Until when keys are left alone that were worked on a moment ago (monotonic), those that may be taken first in front. */
  readonly #resting = new Map<string, number>();
  readonly #waited = new Durations();
  readonly #worked = new Durations();
  #adds = 0;
  #retries = 0;

  /**
   * `onReady` is called whenever a key has become ready to be taken. With `restMs` a key is left alone that long after it was
   * worked on, so that a burst of changes is worked on at its beginning and at its end, not hundreds of times in between.
   */
  constructor(options: {
    readonly clock: Clock;
    readonly onReady: () => void;
    readonly retry?: BackoffPolicy;
    readonly restMs?: number;
  }) {
    this.#clock = options.clock;
    this.#restMs = options.restMs ?? 0;
    this.#onReady = options.onReady;
    this.#backoff = new KeyedBackoff(options.retry ?? retryPolicy);
  }

  /** Keys that are ready. */
  get size(): number {
    return this.#ready.size;
  }

  /** Whether the key is taken. */
  isActive(key: string): boolean {
    return this.#active.has(key);
  }

  /** Keys that are taken. */
  get active(): number {
    return this.#active.size;
  }

  add(key: string): void {
    if (this.#active.has(key)) {
      this.#addedMeanwhile.add(key);
      return;
    }
    if (this.#ready.has(key)) return;
    const restMs = this.#restLeftMs(key);
    if (restMs > 0) {
      this.addAfter(key, restMs);
      return;
    }
    this.#adds++;
    this.#ready.set(key, this.#clock.monotonic());
    this.#onReady();
  }

  /** Adds the key after a delay; the earlier of two delays counts. */
  addAfter(key: string, delayMs: number): void {
    const dueMs = this.#clock.monotonic() + delayMs;
    const known = this.#delayed.get(key);
    if (known !== undefined && known.dueMs <= dueMs) return;
    known?.timer.cancel();
    const timer = this.#clock.after(delayMs, () => {
      this.#delayed.delete(key);
      this.add(key);
    });
    this.#delayed.set(key, { dueMs, timer });
  }

  /** Adds the key after a delay that grows with each failure. Gives the number of failures in a row. */
  retry(key: string): number {
    this.#retries++;
    this.addAfter(key, this.#backoff.fail(key));
    return this.#backoff.failures(key);
  }

  /** Takes the key that has waited longest; `finish` must follow. */
  take(): string | undefined {
    const [first] = this.#ready;
    if (first === undefined) return undefined;
    const [key, sinceMs] = first;
    const nowMs = this.#clock.monotonic();
    this.#ready.delete(key);
    this.#active.set(key, nowMs);
    this.#waited.add(nowMs - sinceMs);
    return key;
  }

  /** The work on a taken key has ended. */
  finish(key: string, result: { readonly succeeded: boolean }): void {
    if (result.succeeded) this.#backoff.reset(key);
    const nowMs = this.#clock.monotonic();
    this.#worked.add(nowMs - (this.#active.get(key) ?? nowMs));
    this.#active.delete(key);
    if (this.#restMs > 0) this.#rest(key);
    if (this.#addedMeanwhile.delete(key)) this.add(key);
  }

  /** Without a timer: most keys are not added again while they rest. */
  #rest(key: string): void {
    const nowMs = this.#clock.monotonic();
    for (const [other, untilMs] of this.#resting) {
      if (untilMs > nowMs) break;
      this.#resting.delete(other);
    }
    this.#resting.delete(key);
    this.#resting.set(key, nowMs + this.#restMs);
  }

  #restLeftMs(key: string): number {
    const untilMs = this.#resting.get(key);
    return untilMs === undefined ? 0 : untilMs - this.#clock.monotonic();
  }

  /** Puts a taken key back, unworked on: it is ready again, once. */
  release(key: string): void {
    this.#active.delete(key);
    this.#addedMeanwhile.delete(key);
    this.add(key);
  }

  stats(): QueueStats {
    const nowMs = this.#clock.monotonic();
    const going = [...this.#active.values()].map((sinceMs) => (nowMs - sinceMs) / 1000);
    return {
      adds: this.#adds,
      retries: this.#retries,
      waited: this.#waited,
      worked: this.#worked,
      unfinishedSeconds: going.reduce((sum, seconds) => sum + seconds, 0),
      longestSeconds: Math.max(0, ...going),
    };
  }

  /** No delayed key comes any more. */
  [Symbol.dispose](): void {
    for (const { timer } of this.#delayed.values()) timer.cancel();
    this.#delayed.clear();
  }
}
