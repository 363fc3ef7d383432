import { isJsonObject, type JsonValue, jsonEqual } from "@skiff/base";

/** What decides the order of a merged list. */
export interface OrderOptions {
  readonly merged: readonly JsonValue[];
  /** The items that the patch names, in its order; by `mergeKey`, or as values where there is none. */
  readonly order: readonly JsonValue[];
  /** The list before the patch. */
  readonly before: readonly JsonValue[];
  readonly mergeKey: string | undefined;
}

/**
 * The order of a list that a strategic merge patch merged: items that the patch names follow its order, the others keep the order
 * they had. The two rows are joined by comparing places in the old list; where one of the two is new, the patch's item goes first.
 *
 * @example before [a, b, c], patch [c, x, a] → [b, c, x, a]
 */
export function ordered({ merged, order, before, mergeKey }: OrderOptions): JsonValue[] {
  const same = (a: JsonValue, b: JsonValue): boolean => {
    if (mergeKey === undefined) return jsonEqual(a, b);
    return isJsonObject(a) && isJsonObject(b) && jsonEqual(a[mergeKey], b[mergeKey]);
  };
  const placeIn = (list: readonly JsonValue[], item: JsonValue) => list.findIndex((other) => same(other, item));
  const ranked = (list: readonly JsonValue[], items: readonly JsonValue[]) =>
    items
      .map((item) => ({ item, rank: placeIn(list, item), old: placeIn(before, item) }))
      .sort((a, b) => (a.rank === -1 || b.rank === -1 ? 0 : a.rank - b.rank));
  const named = ranked(
    order,
    merged.filter((item) => placeIn(order, item) !== -1),
  );
  const others = ranked(
    before,
    merged.filter((item) => placeIn(order, item) === -1),
  );
  const result: JsonValue[] = [];
  let next = 0;
  for (const { item, old } of named) {
    for (let other = others[next]; other !== undefined; other = others[next]) {
      if (other.old === -1 || old === -1 || other.old > old) break;
      result.push(other.item);
      next++;
    }
    result.push(item);
  }
  return [...result, ...others.slice(next).map((other) => other.item)];
}
