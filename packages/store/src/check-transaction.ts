import { checkKey } from "./keys.ts";
import { InvalidRequestError, maximumOperations, type Transaction } from "./store.ts";

/** Throws `InvalidRequestError` for a transaction that no engine could keep. */
export function checkTransaction({ compare, operations }: Transaction): void {
  for (const { key } of compare) checkKey(key);
  for (const { key } of operations) checkKey(key);
  if (operations.length < 2) return;
  if (operations.length > maximumOperations) {
    throw new InvalidRequestError(`a transaction writes at most ${maximumOperations} keys`);
  }
  const keys = new Set<string>();
  for (const { key } of operations) {
    if (keys.has(key)) throw new InvalidRequestError(`a transaction writes each key at most once: ${key}`);
    keys.add(key);
  }
}
