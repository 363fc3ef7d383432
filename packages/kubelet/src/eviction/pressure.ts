import { amountOf, type Observations, type PressureType, pressureOf, type Threshold } from "./thresholds.ts";

/** A threshold that is met now, with what was observed. */
export interface MetThreshold extends Threshold {
  readonly available: number;
  readonly quantity: number;
}

/**
 * Follows what is left on a node: which thresholds are met, since when, and which of the node's conditions follow from it.
 * A threshold once met holds until its reclaim is free as well; a condition holds for a while after its last threshold.
 */
export class NodePressure {
  readonly #thresholds: readonly Threshold[];
  readonly #transitionMs: number;
  readonly #metSinceMs = new Map<Threshold, number>();
  readonly #lastSeenMs = new Map<PressureType, number>();
  #types: ReadonlySet<PressureType> = new Set();

  constructor(thresholds: readonly Threshold[], transitionMs: number) {
    this.#thresholds = thresholds;
    this.#transitionMs = transitionMs;
  }

  /** The node's conditions that are true. */
  get types(): ReadonlySet<PressureType> {
    return this.#types;
  }

  /** Takes in what is left now; gives the thresholds for which pods must go, memory first. */
  observe(observations: Observations, nowMs: number): readonly MetThreshold[] {
    const due: MetThreshold[] = [];
    for (const threshold of this.#thresholds) {
      const seen = observations.get(threshold.signal);
      if (seen === undefined) continue;
      const quantity = amountOf(threshold.text, seen.capacity);
      const wasMet = this.#metSinceMs.get(threshold);
      const needed = quantity + (wasMet === undefined ? 0 : amountOf(threshold.reclaim, seen.capacity));
      if (seen.available >= needed) {
        this.#metSinceMs.delete(threshold);
        continue;
      }
      const sinceMs = wasMet ?? nowMs;
      this.#metSinceMs.set(threshold, sinceMs);
      this.#lastSeenMs.set(pressureOf(threshold.signal), nowMs);
      if (nowMs - sinceMs >= threshold.graceMs) due.push({ ...threshold, available: seen.available, quantity });
    }
    const recent = [...this.#lastSeenMs].filter(
      ([, seenMs]) => nowMs - seenMs < this.#transitionMs || seenMs === nowMs,
    );
    this.#types = new Set(recent.map(([type]) => type));
    const order = (one: MetThreshold) => (pressureOf(one.signal) === "MemoryPressure" ? 0 : 1);
    return due.sort((a, b) => order(a) - order(b));
  }
}
