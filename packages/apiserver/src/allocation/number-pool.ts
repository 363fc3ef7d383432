import { assert, type Random, randomInt } from "@skiff/base";

/** Numbers from `first` to `last`. */
export interface NumberRange {
  readonly first: number;
  readonly last: number;
  /** How many of the lowest are kept for those who ask for them by number. */
  readonly staticBand: number;
}

/**
 * Numbers of ranges, each with at most one owner: addresses, ports. Those that are not asked for by number come from the upper
 * part of a range first, so that the lower part (the static band) stays free for those that are. Ranges may overlap, come and
 * go; numbers stay their owners'.
 */
export class NumberPool {
  readonly #ranges: () => readonly NumberRange[];
  readonly #owners = new Map<number, string>();
  readonly #isTaken: (number: number) => boolean;

  /** `isTaken` tells of numbers that somebody has whom the pool does not know of. */
  constructor(options: {
    readonly ranges: () => readonly NumberRange[];
    readonly isTaken?: (number: number) => boolean;
  }) {
    this.#ranges = options.ranges;
    this.#isTaken = options.isTaken ?? (() => false);
  }

  holds(number: number): boolean {
    return this.#ranges().some(({ first, last }) => number >= first && number <= last);
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

  /** Any free number, of the first range that has one; `undefined` when there is none. */
  takeAny(owner: string, random: Random): number | undefined {
    for (const range of this.#ranges()) {
      const found = this.#freeOf(range, random);
      if (found === undefined) continue;
      this.#owners.set(found, owner);
      return found;
    }
    return undefined;
  }

  /** Frees a number, where `owner` has it. */
  free(number: number, owner: string): void {
    if (this.#owners.get(number) === owner) this.#owners.delete(number);
  }

  #freeOf({ first, last, staticBand }: NumberRange, random: Random): number | undefined {
    assert(last >= first, "a range of numbers has at least one");
    const size = last - first + 1;
    const lower = Math.min(staticBand, size - 1);
    return this.#free(first + lower, size - lower, random) ?? this.#free(first, lower, random);
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
