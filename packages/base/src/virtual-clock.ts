import { type Clock, sleepOn, type Timer } from "./clock.ts";
import { Heap } from "./heap.ts";

interface Pending {
  readonly dueMs: number;
  readonly order: number;
  readonly fire: () => void;
  cancelled: boolean;
}

/**
 * Time that moves only when told to. `advance` fires timers in order of their due time (then of their setting). Promise
 * continuations run after each, I/O callbacks before time moves on, so that whatever a timer sets off is seen by later timers.
 *
 * @example
 * const clock = new VirtualClock();
 * clock.after(1000, () => console.log("a second later"));
 * await clock.advance(5000);
 */
export class VirtualClock implements Clock {
  #nowMs: number;
  readonly #startMs: number;
  #order = 0;
  readonly #pending = new Heap<Pending>((a, b) => a.dueMs - b.dueMs || a.order - b.order);

  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.#nowMs = startMs;
    this.#startMs = startMs;
  }

  now(): number {
    return this.#nowMs;
  }

  monotonic(): number {
    return this.#nowMs - this.#startMs;
  }

  after(delayMs: number, fire: () => void): Timer {
    const pending: Pending = {
      dueMs: this.#nowMs + Math.max(0, delayMs),
      order: this.#order++,
      fire,
      cancelled: false,
    };
    this.#pending.push(pending);
    const cancel = () => {
      pending.cancelled = true;
    };
    return { cancel, [Symbol.dispose]: cancel };
  }

  sleep(delayMs: number, signal: AbortSignal): Promise<void> {
    return sleepOn(this, delayMs, signal);
  }

  /** When the next timer is due, or `undefined` when none is set. */
  nextDueMs(): number | undefined {
    for (let next = this.#pending.peek(); next !== undefined; next = this.#pending.peek()) {
      if (!next.cancelled) return next.dueMs;
      this.#pending.pop();
    }
    return undefined;
  }

  /** Moves time on by `durationMs`, firing what falls due on the way. */
  async advance(durationMs: number): Promise<void> {
    const endMs = this.#nowMs + durationMs;
    await settle();
    for (let due = this.nextDueMs(); due !== undefined && due <= endMs; due = this.nextDueMs()) {
      this.#nowMs = Math.max(this.#nowMs, due);
      this.#pending.pop()?.fire();
      // Turns of the event loop cost more than most timers do: those of one moment share them.
      await continuations();
      const next = this.nextDueMs();
      if (next === undefined || next > this.#nowMs) await settle();
    }
    this.#nowMs = endMs;
  }

  /** Moves from timer to timer until `condition` holds; throws when it does not within `limitMs` of virtual time. */
  async advanceUntil(condition: () => boolean | Promise<boolean>, limitMs: number): Promise<void> {
    const endMs = this.#nowMs + limitMs;
    await settle();
    while (!(await condition())) {
      const due = this.nextDueMs();
      if (due === undefined || due > endMs)
        throw new Error(`condition does not hold after ${limitMs} ms of virtual time`);
      await this.advance(due - this.#nowMs);
    }
  }
}

/** Lets promise continuations run until there are none. */
const continuations = (): Promise<void> => new Promise((resolve) => process.nextTick(resolve));

/** Lets promise continuations and finished I/O run until the event loop has had several full turns. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 4; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
}
