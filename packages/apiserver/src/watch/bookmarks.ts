import type { Clock, Timer } from "@skiff/base";

/** How often a watch that asked for bookmarks gets one. */
const intervalMs = 60_000;

/** Sends bookmarks to all watches that want them; keeps no timer while there are none. */
export class Bookmarks implements Disposable {
  readonly #clock: Clock;
  readonly #wanting = new Set<() => void>();
  #timer: Timer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls `send` every minute until disposed of. */
  add(send: () => void): Disposable {
    this.#wanting.add(send);
    this.#timer ??= this.#clock.after(intervalMs, () => this.#sendAll());
    return { [Symbol.dispose]: () => this.#remove(send) };
  }

  [Symbol.dispose](): void {
    this.#wanting.clear();
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #remove(send: () => void): void {
    this.#wanting.delete(send);
    if (this.#wanting.size > 0) return;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #sendAll(): void {
    this.#timer = undefined;
    for (const send of this.#wanting) send();
    if (this.#wanting.size > 0) this.#timer ??= this.#clock.after(intervalMs, () => this.#sendAll());
  }
}
