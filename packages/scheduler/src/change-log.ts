/** So many changes are remembered; who has missed more looks at everything again. */
const capacity = 8_192;

/** Which nodes (by slot) have changed, in order: whoever keeps something about nodes brings it up to date from here. */
export class ChangeLog {
  readonly #slots = new Int32Array(capacity);
  #head = 0;

  /** How many changes there have been. */
  get head(): number {
    return this.#head;
  }

  note(slot: number): void {
    this.#slots[this.#head % capacity] = slot;
    this.#head++;
  }

  /** Calls `visit` for each change since `head` was as given; `false`: not all of them are remembered. */
  visitSince(head: number, visit: (slot: number) => void): boolean {
    if (this.#head - head > capacity) return false;
    for (let at = head; at < this.#head; at++) visit(this.#slots[at % capacity] ?? 0);
    return true;
  }
}
