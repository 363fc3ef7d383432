/** The only source of chance: numbers from 0 up to, not including, 1. */
export interface Random {
  next(): number;
}

/** Chance as the machine gives it. */
export const systemRandom: Random = { next: () => Math.random() };

/** Chance that repeats: the same seed gives the same numbers (mulberry32). */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return {
    next() {
      state = (state + 0x6d2b79f5) >>> 0;
      let mixed = Math.imul(state ^ (state >>> 15), state | 1);
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
    },
  };
}

/** A whole number from 0 up to, not including, `limit`. */
export const randomInt = (random: Random, limit: number): number => Math.floor(random.next() * limit);
