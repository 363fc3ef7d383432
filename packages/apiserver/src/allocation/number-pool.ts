import { assert, type Random, randomInt } from "@skiff/base";

/**
 * Numbers of a range, each with at most one owner: the offsets of addresses, ports. Those that are not asked for by number come
 * from the upper part of the range first, so that the lower part (the static band) stays free for those that are.
 */
export class NumberPool {
  readonly #first: number;
  readonly #size: number;
  readonly #staticBand: number;
  readonly #owners = new Map<number, string>();

  readonly #isTaken: (number: number) => boolean;

  /** `first` and `last` belong to the range; `isTaken` tells of numbers that somebody has whom the pool does not know of. */
  constructor(range: {
    readonly first: number;
    readonly last: number;
    readonly staticBand: number;
    readonly isTaken?: (number: number) => boolean;
  }) {
    assert(range.last >= range.first, "a range of numbers has at least one");
    this.#first = range.first;
    this.#size = range.last - range.first + 1;
    this.#isTaken = range.isTaken ?? (() => false);
    this.#staticBand = Math.min(range.staticBand, this.#size - 1);
  }

  holds(number: number): boolean {
    return number >= this.#first && number < this.#first + this.#size;
  }

  ownerOf(number: number): string | undefined {
    return this.#owners.get(number);
  }

  /** False when somebody has it (be it `owner` itself). */
  take(number: number, owner: string): boolean {
    if (this.#owners.has(number) || this.#isTaken(number)) return false;
    this.#owners.set(number, owner);
    return true;
  }

  /** Notes who has a number. */
  note(number: number, owner: string): void {
    this.#owners.set(number, owner);
  }

  /** Forgets who has what. */
  clear(): void {
    this.#owners.clear();
  }

  /** Any free number; `undefined` when there is none. */
  takeAny(owner: string, random: Random): number | undefined {
    const split = this.#first + this.#staticBand;
    const upper = this.#free(split, this.#size - this.#staticBand, random);
    const found = upper ?? this.#free(this.#first, this.#staticBand, random);
    if (found !== undefined) this.#owners.set(found, owner);
    return found;
  }

  /** Frees a number, where `owner` has it. */
  free(number: number, owner: string): void {
    if (this.#owners.get(number) === owner) this.#owners.delete(number);
  }

  /** From a random place upwards and around. */
  #free(first: number, count: number, random: Random): number | undefined {
    const start = randomInt(random, Math.max(1, count));
    for (let step = 0; step < count; step++) {
      const candidate = first + ((start + step) % count);
      if (!this.#owners.has(candidate) && !this.#isTaken(candidate)) return candidate;
    }
    return undefined;
  }
}
