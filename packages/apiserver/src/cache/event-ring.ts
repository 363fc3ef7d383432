import type { CacheEvent } from "./cache-event.ts";

/** How many events of a resource are at hand for watches that resume. Older ones are read from the store's history. */
const ringSize = 1000;

/** The newest events of a resource, in order. */
export class EventRing {
  readonly #events: CacheEvent[] = [];
  #first = 0;
  #floor: number;

  /** `floor`: everything that happened after this revision will be added. */
  constructor(floor: number) {
    this.#floor = floor;
  }

  /** Every event after this revision is here. */
  get floor(): number {
    return this.#floor;
  }

  add(event: CacheEvent): void {
    if (this.#events.length < ringSize) {
      this.#events.push(event);
      return;
    }
    this.#floor = this.#events[this.#first]?.revision ?? this.#floor;
    this.#events[this.#first] = event;
    this.#first = (this.#first + 1) % ringSize;
  }

  /** Events after `revision` (not below `floor`), in order. */
  since(revision: number): CacheEvent[] {
    const found: CacheEvent[] = [];
    for (let offset = this.#events.length - 1; offset >= 0; offset--) {
      const event = this.#events[(this.#first + offset) % this.#events.length];
      if (event === undefined || event.revision <= revision) break;
      found.push(event);
    }
    return found.reverse();
  }
}
