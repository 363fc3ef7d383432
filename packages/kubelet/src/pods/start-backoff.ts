import type { Container } from "@skiff/api";
import { type Clock, jsonEqual } from "@skiff/base";

/** What a delay is for: with another image or other resources a container may do better, and begins anew. */
type Attempted = Pick<Container, "name" | "image" | "resources">;

interface Entry {
  readonly of: Attempted;
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
  delayMs(name: string): number {
    return this.#entries.get(name)?.delayMs ?? 0;
  }

  /** A container that ended at `endedMs` is started again now. */
  started(container: Attempted, endedMs: number): void {
    const delayMs = this.#live(container, endedMs)?.delayMs;
    const { name, image, resources } = container;
    this.#entries.set(name, {
      of: { name, ...(image === undefined ? {} : { image }), ...(resources === undefined ? {} : { resources }) },
      delayMs: delayMs === undefined ? initialMs : Math.min(maxMs, delayMs * 2),
      sinceMs: this.#clock.now(),
    });
  }

  #live({ name, image, resources }: Attempted, endedMs: number): Entry | undefined {
    const entry = this.#entries.get(name);
    if (entry === undefined) return undefined;
    const same = entry.of.image === image && jsonEqual(entry.of.resources, resources);
    if (same && endedMs - entry.sinceMs <= 2 * maxMs) return entry;
    this.#entries.delete(name);
    return undefined;
  }
}
