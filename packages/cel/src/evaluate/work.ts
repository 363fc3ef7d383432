import { BudgetExceeded } from "./evaluation-error.ts";

/**
 * CEL's cost does not see everything: two lists of one element cost one unit to compare however much that element holds. A
 * server with one thread cannot afford what is not bounded, so parts that are visited, and text that is made, are counted apart
 * from cost, against limits that no honest expression comes near.
 */
const mostParts = 5_000_000;
const longestText = 16 * 1024 * 1024;

let left = mostParts;
let depth = 0;

export const tooMuch = (): BudgetExceeded => new BudgetExceeded("operation cancelled: actual cost limit exceeded");

/** Counts the work of `run`, together with that of evaluations within it. */
export function counted<T>(run: () => T): T {
  if (depth === 0) left = mostParts;
  depth++;
  try {
    return run();
  } finally {
    depth--;
  }
}

/** A part of a value is visited. Throws `BudgetExceeded`. */
export function visit(): void {
  if (--left < 0 && depth > 0) throw tooMuch();
}

/** A text of so many characters is about to be made. Throws `BudgetExceeded`. */
export function makeText(length: number): void {
  if (length > longestText) throw tooMuch();
}
