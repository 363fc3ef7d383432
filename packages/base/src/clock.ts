import { abortable } from "./abort.ts";

/** A timer that was set; disposing of it (or `cancel`) keeps it from firing. */
export interface Timer extends Disposable {
  cancel(): void;
}

/**
 * The only source of time. Rooms take a `Clock` instead of calling `Date.now` or `setTimeout`,
 * so that a test can run a day of a cluster in a second.
 */
export interface Clock {
  /** Milliseconds since 1970, UTC. May jump when the machine's clock is set. */
  now(): number;
  /** Milliseconds that only ever grow: for measuring how long something took. */
  monotonic(): number;
  /** Calls `fire` once after `delayMs` (0 or more). */
  after(delayMs: number, fire: () => void): Timer;
  /** Resolves after `delayMs`; rejects with the signal's reason when it is aborted first. */
  sleep(delayMs: number, signal: AbortSignal): Promise<void>;
}

/** Sleeping in terms of a clock's `after`. */
export function sleepOn(clock: Pick<Clock, "after">, delayMs: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = clock.after(delayMs, resolve);
  return abortable(promise, signal).finally(() => timer.cancel());
}

const longestTimeoutMs = 2 ** 31 - 1;

/** The machine's clock. A timer that is set keeps its process alive until it fired or was cancelled. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(delayMs, fire) {
    const handle = setTimeout(fire, Math.min(Math.max(0, delayMs), longestTimeoutMs));
    const cancel = () => clearTimeout(handle);
    return { cancel, [Symbol.dispose]: cancel };
  },
  sleep: (delayMs, signal) => sleepOn(systemClock, delayMs, signal),
};

/** RFC 3339 with whole seconds, as `metav1.Time` is written: `2026-01-02T03:04:05Z`. */
export function timestamp(epochMs: number): string {
  const second = Math.floor(epochMs / 1000);
  // Most are asked for many times within their second: making one takes longer than checking an object's metadata.
  if (second !== lastSecond) {
    lastTimestamp = `${new Date(epochMs).toISOString().slice(0, 19)}Z`;
    lastSecond = second;
  }
  return lastTimestamp;
}

let lastSecond = Number.NaN;
let lastTimestamp = "";

/** RFC 3339 with six digits of a second, as `metav1.MicroTime` is written: `2026-01-02T03:04:05.123000Z`. */
export const microTimestamp = (epochMs: number): string => `${new Date(epochMs).toISOString().slice(0, 23)}000Z`;
