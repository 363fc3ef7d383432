import {
  emptyElements,
  forEachMap,
  type MapKey,
  type MutableElements,
  mapKeys,
  type TableElements,
} from "./elements.ts";

/** One element that has to change in the kernel. */
export interface ElementChange {
  readonly map: MapKey;
  readonly key: string;
  /** What the kernel has: `undefined` when nothing. */
  readonly before: string | undefined;
  /** What it is to have: `undefined` when nothing. */
  readonly after: string | undefined;
}

/**
 * What the table is to hold, Service by Service, beside what the kernel holds. A change costs as much as the Service that
 * it touches, whatever the number of the others.
 *
 * Several Services may want one element: pods behind two Services, or two Services with one external IP. It stays until the
 * last of them has gone; where they want different things, the one that came first has its way.
 */
export class TableContents {
  readonly #plans = new Map<string, TableElements>();
  readonly #claims = forEachMap(() => new Map<string, string[]>());
  readonly #applied: MutableElements = emptyElements();
  /** Elements in which the kernel may differ from what is wanted. */
  readonly #dirty = forEachMap(() => new Set<string>());

  /** What a Service wanted last. */
  planOf(owner: string): TableElements | undefined {
    return this.#plans.get(owner);
  }

  /** What a Service wants; nothing where `undefined`. */
  put(owner: string, plan: TableElements | undefined): void {
    const before = this.#plans.get(owner);
    if (plan === undefined) this.#plans.delete(owner);
    else this.#plans.set(owner, plan);
    for (const map of mapKeys) {
      for (const [key, value] of plan?.[map] ?? []) {
        if (before?.[map].get(key) === value) continue;
        const owners = this.#claims[map].get(key) ?? [];
        if (!owners.includes(owner)) owners.push(owner);
        this.#claims[map].set(key, owners);
        this.#dirty[map].add(key);
      }
      for (const key of before?.[map].keys() ?? []) if (!plan?.[map].has(key)) this.#release(map, key, owner);
    }
  }

  /** The elements in which the kernel differs from what is wanted. */
  changes(): readonly ElementChange[] {
    return mapKeys.flatMap((map) =>
      [...this.#dirty[map]].flatMap((key) => {
        const before = this.#applied[map].get(key);
        const after = this.#wanted(map, key);
        return before === after ? [] : [{ map, key, before, after }];
      }),
    );
  }

  /** The kernel has made these changes. */
  applied(changes: readonly ElementChange[]): void {
    for (const { map, key, after } of changes) {
      if (after === undefined) this.#applied[map].delete(key);
      else this.#applied[map].set(key, after);
    }
    for (const map of mapKeys) this.#dirty[map].clear();
  }

  /** What the kernel was found to hold: everything is compared anew. */
  found(elements: TableElements): void {
    for (const map of mapKeys) {
      this.#applied[map].clear();
      for (const [key, value] of elements[map]) this.#applied[map].set(key, value);
      this.#dirty[map].clear();
      for (const key of this.#applied[map].keys()) this.#dirty[map].add(key);
      for (const key of this.#claims[map].keys()) this.#dirty[map].add(key);
    }
  }

  /** All elements that are wanted. */
  wanted(): TableElements {
    const elements = emptyElements();
    for (const map of mapKeys) {
      for (const key of this.#claims[map].keys()) {
        const value = this.#wanted(map, key);
        if (value !== undefined) elements[map].set(key, value);
      }
    }
    return elements;
  }

  #release(map: MapKey, key: string, owner: string): void {
    const left = (this.#claims[map].get(key) ?? []).filter((one) => one !== owner);
    if (left.length === 0) this.#claims[map].delete(key);
    else this.#claims[map].set(key, left);
    this.#dirty[map].add(key);
  }

  #wanted(map: MapKey, key: string): string | undefined {
    const [owner] = this.#claims[map].get(key) ?? [];
    return owner === undefined ? undefined : this.#plans.get(owner)?.[map].get(key);
  }
}
