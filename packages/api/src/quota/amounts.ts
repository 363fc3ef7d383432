import type { ResourceAmounts } from "../kinds/pod-requests.ts";
import { addQuantities, compareQuantities, subtractQuantities } from "../quantity.ts";

/** The sum of two lists of amounts. */
export function addAmounts(a: ResourceAmounts, b: ResourceAmounts): ResourceAmounts {
  const sum: Record<string, string> = { ...a };
  for (const name in b) {
    const [known, amount] = [sum[name], b[name]];
    if (amount !== undefined) sum[name] = known === undefined ? amount : addQuantities(known, amount);
  }
  return sum;
}

/** What `a` has more than `b`, nothing less than zero. */
export function excessAmounts(a: ResourceAmounts, b: ResourceAmounts): ResourceAmounts {
  const excess: Record<string, string> = {};
  for (const [name, amount] of Object.entries(a)) {
    const less = b[name];
    const left = less === undefined ? amount : subtractQuantities(amount, less);
    excess[name] = compareQuantities(left, "0") < 0 ? "0" : left;
  }
  return excess;
}

/** The larger of each two amounts. */
export function largerAmounts(a: ResourceAmounts, b: ResourceAmounts): ResourceAmounts {
  const larger: Record<string, string> = { ...a };
  for (const [name, amount] of Object.entries(b)) {
    const known = larger[name];
    if (known === undefined || compareQuantities(amount, known) > 0) larger[name] = amount;
  }
  return larger;
}

/** Those of the amounts that are named. */
export function maskAmounts(amounts: ResourceAmounts, names: Iterable<string>): ResourceAmounts {
  const masked: Record<string, string> = {};
  for (const name of names) {
    const amount = amounts[name];
    if (amount !== undefined) masked[name] = amount;
  }
  return masked;
}

/** True when both say the same of the same resources, however it is written. */
export function sameAmounts(a: ResourceAmounts, b: ResourceAmounts): boolean {
  const names = Object.keys(a);
  return (
    names.length === Object.keys(b).length &&
    names.every((name) => {
      const [left, right] = [a[name], b[name]];
      return left !== undefined && right !== undefined && compareQuantities(left, right) === 0;
    })
  );
}

/** The resources of which there is more than `most` allows. */
export const exceededNames = (amounts: ResourceAmounts, most: ResourceAmounts): readonly string[] =>
  Object.entries(amounts).flatMap(([name, amount]) => {
    const limit = most[name];
    return limit !== undefined && compareQuantities(amount, limit) > 0 ? [name] : [];
  });

/** `cpu=1,memory=2Gi`. */
export const amountsText = (amounts: ResourceAmounts): string =>
  Object.keys(amounts)
    .sort()
    .map((name) => `${name}=${amounts[name]}`)
    .join(",");
