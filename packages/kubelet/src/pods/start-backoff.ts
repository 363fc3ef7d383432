import type { Clock } from "@skiff/base";

interface Entry {
  delayMs: number;
  /** When the delay was last decided on. */
  sinceMs: number;
  /** The end that was asked about last, and when it was first (by a clock that is never set). */
  seen?: { readonly endedMs: number; readonly atMs: number };
}

const initialMs = 10_000;
const maxMs = 300_000;

/**
 * How long containers that keep ending wait before they are started again: not at all after the first end, then 10 s,
 * doubling to 5 min. A container that was left alone for 10 min starts from the beginning.
 */
export class StartBackoff {
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Milliseconds that a container which ended at `endedMs` still has to wait. */
  remainingMs(name: string, endedMs: number): number {
    const entry = this.#live(name, endedMs);
    if (entry === undefined) return 0;
    if (entry.seen?.endedMs !== endedMs) entry.seen = { endedMs, atMs: this.#clock.monotonic() };
    // A clock that was set back makes the end lie ahead: nobody waits longer for that than since the end was first heard of.
    const leftMs = Math.min(endedMs - this.#clock.now(), entry.seen.atMs - this.#clock.monotonic());
    return Math.max(0, leftMs + entry.delayMs);
  }

  /** The whole delay, for messages. */
  delayMs(name: string): number {
    return this.#entries.get(name)?.delayMs ?? 0;
  }

  /** A container that ended at `endedMs` is started again now. */
  started(name: string, endedMs: number): void {
    const delayMs = this.#live(name, endedMs)?.delayMs;
    this.#entries.set(name, {
      delayMs: delayMs === undefined ? initialMs : Math.min(maxMs, delayMs * 2),
      sinceMs: this.#clock.now(),
    });
  }

  #live(name: string, endedMs: number): Entry | undefined {
    const entry = this.#entries.get(name);
    if (entry !== undefined && endedMs - entry.sinceMs > 2 * maxMs) this.#entries.delete(name);
    return this.#entries.get(name);
  }
}
