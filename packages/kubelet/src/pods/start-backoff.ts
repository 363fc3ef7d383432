import type { Container } from "@skiff/api";
import type { Clock } from "@skiff/base";

/** What a delay is for: with another image or other resources a container may do better, and begins anew. */
type Attempted = Pick<Container, "name" | "image" | "resources">;

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
 * doubling to 5 min. A container that was left alone for 10 min starts from the beginning, and so does one whose image or
 * resources are others now.
 */
export class StartBackoff {
  readonly #clock: Clock;
  /** Each by what it is for: containers that differ do not take each other's delay away. */
  readonly #entries = new Map<string, Entry>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Milliseconds that a container which ended at `endedMs` still has to wait. */
  remainingMs(container: Attempted, endedMs: number): number {
    const entry = this.#live(container, endedMs);
    if (entry === undefined) return 0;
    if (entry.seen?.endedMs !== endedMs) entry.seen = { endedMs, atMs: this.#clock.monotonic() };
    // A clock that was set back makes the end lie ahead: nobody waits longer for that than since the end was first heard of.
    const leftMs = Math.min(endedMs - this.#clock.now(), entry.seen.atMs - this.#clock.monotonic());
    return Math.max(0, leftMs + entry.delayMs);
  }

  /** The whole delay, for messages. */
  delayMs(container: Attempted): number {
    return this.#entries.get(keyOf(container))?.delayMs ?? 0;
  }

  /** A container that ended at `endedMs` is started again now. */
  started(container: Attempted, endedMs: number): void {
    const delayMs = this.#live(container, endedMs)?.delayMs;
    for (const [key, { sinceMs }] of this.#entries) if (endedMs - sinceMs > 2 * maxMs) this.#entries.delete(key);
    this.#entries.set(keyOf(container), {
      delayMs: delayMs === undefined ? initialMs : Math.min(maxMs, delayMs * 2),
      sinceMs: this.#clock.now(),
    });
  }

  #live(container: Attempted, endedMs: number): Entry | undefined {
    const entry = this.#entries.get(keyOf(container));
    return entry !== undefined && endedMs - entry.sinceMs <= 2 * maxMs ? entry : undefined;
  }
}

/** The same for the same fields in any order. */
const keyOf = ({ name, image, resources }: Attempted): string =>
  JSON.stringify([name, image, resources], (_, value: unknown) =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
