import type { CelList, CelMap, CelObject, CelValue } from "./cel-value.ts";
import { Uint } from "./uint.ts";

/** A list of values that are there. */
export class ValueList implements CelList {
  readonly kind = "list";
  readonly #values: readonly CelValue[];

  constructor(values: readonly CelValue[]) {
    this.#values = values;
  }

  get size(): number {
    return this.#values.length;
  }

  at(index: number): CelValue {
    return this.#values[index] ?? null;
  }

  values(): readonly CelValue[] {
    return this.#values;
  }
}

/** The list that a comprehension is still adding to: `+` on it costs one element, not a copy of all. Then it is a list like others. */
export class GrowingList implements CelList {
  readonly kind = "list";
  isGrowing = true;
  readonly #values: CelValue[] = [];

  get size(): number {
    return this.#values.length;
  }

  at(index: number): CelValue {
    return this.#values[index] ?? null;
  }

  values(): readonly CelValue[] {
    return this.#values;
  }

  add(more: Iterable<CelValue>): void {
    for (const value of more) this.#values.push(value);
  }
}

/** Two lists one after the other. Nothing is copied: CEL counts one unit for `+` whatever the lists' sizes. */
export class JoinedList implements CelList {
  readonly kind = "list";
  readonly size: number;
  readonly #first: CelList;
  readonly #second: CelList;

  constructor(first: CelList, second: CelList) {
    this.#first = first;
    this.#second = second;
    this.size = first.size + second.size;
  }

  at(index: number): CelValue {
    let list: CelList = this;
    let at = index;
    while (list instanceof JoinedList) {
      const { size } = list.#first;
      if (at < size) list = list.#first;
      else {
        at -= size;
        list = list.#second;
      }
    }
    return list.at(at);
  }

  *values(): Iterable<CelValue> {
    const rest: CelList[] = [this];
    for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
      if (next instanceof JoinedList) rest.push(next.#second, next.#first);
      else yield* next.values();
    }
  }
}

/** A form of a key in which numbers of all types that are equal are the same; `undefined` for what cannot be a key. */
export function keyText(key: CelValue): string | undefined {
  switch (typeof key) {
    case "string":
      return `s${key}`;
    case "bigint":
      return `n${key}`;
    case "boolean":
      return `b${key}`;
    case "number":
      return Number.isInteger(key) ? `n${BigInt(key)}` : undefined;
    default:
      return key instanceof Uint ? `n${key.value}` : undefined;
  }
}

/** A map made by an expression. */
export class ValueMap implements CelMap {
  readonly kind = "map";
  readonly #entries = new Map<string, readonly [CelValue, CelValue]>();

  get size(): number {
    return this.#entries.size;
  }

  get(key: CelValue): CelValue | undefined {
    const text = keyText(key);
    return text === undefined ? undefined : this.#entries.get(text)?.[1];
  }

  keys(): Iterable<CelValue> {
    return [...this.#entries.values()].map(([key]) => key);
  }

  /** False when the key is there already, or cannot be a key. */
  add(key: CelValue, value: CelValue): boolean {
    const text = keyText(key);
    if (text === undefined || this.#entries.has(text)) return false;
    this.#entries.set(text, [key, value]);
    return true;
  }
}

/** An object made by an expression: `Object{…}`. */
export class ValueObject implements CelObject {
  readonly kind = "object";
  readonly typeName: string;
  readonly #fields: ReadonlyMap<string, CelValue>;

  constructor(typeName: string, fields: ReadonlyMap<string, CelValue>) {
    this.typeName = typeName;
    this.#fields = fields;
  }

  field(name: string): CelValue | undefined {
    return this.#fields.get(name);
  }

  entries(): Iterable<readonly [string, CelValue]> {
    return this.#fields;
  }
}

export const listOf = (values: readonly CelValue[]): CelList => new ValueList(values);

/** A map from strings. */
export function mapOf(entries: Readonly<Record<string, CelValue>>): CelMap {
  const map = new ValueMap();
  for (const [key, value] of Object.entries(entries)) map.add(key, value);
  return map;
}
