import type { KubeObject, ObjectRef } from "@skiff/api";

export const keyOf = ({ namespace, name }: ObjectRef): string =>
  namespace === undefined || namespace === "" ? name : `${namespace}/${name}`;

interface Index<T> {
  readonly values: (object: T) => readonly string[];
  readonly keysByValue: Map<string, Map<string, T>>;
}

/** Objects by key, by namespace and by whatever index was asked for; every change costs what it touches. */
export class ObjectStore<T extends KubeObject> {
  readonly #objects = new Map<string, T>();
  readonly #indexes = new Map<string, Index<T>>();
  readonly #byNamespace: Index<T> = {
    values: ({ metadata }) => [metadata.namespace ?? ""],
    keysByValue: new Map(),
  };

  get(key: string): T | undefined {
    return this.#objects.get(key);
  }

  keys(): readonly string[] {
    return [...this.#objects.keys()];
  }

  list(namespace: string | undefined): readonly T[] {
    if (namespace === undefined) return [...this.#objects.values()];
    return [...(this.#byNamespace.keysByValue.get(namespace)?.values() ?? [])];
  }

  byIndex(name: string, value: string): readonly T[] {
    return [...(this.#indexes.get(name)?.keysByValue.get(value)?.values() ?? [])];
  }

  addIndex(name: string, values: (object: T) => readonly string[]): void {
    if (this.#indexes.has(name)) return;
    const index: Index<T> = { values, keysByValue: new Map() };
    this.#indexes.set(name, index);
    for (const [key, object] of this.#objects) put(index, key, object);
  }

  /** Gives what was there before. */
  put(object: T): T | undefined {
    const key = keyOf(object.metadata);
    const old = this.#objects.get(key);
    this.#objects.set(key, object);
    replace(this.#byNamespace, key, { old, object });
    for (const index of this.#indexes.values()) replace(index, key, { old, object });
    return old;
  }

  remove(key: string): T | undefined {
    const old = this.#objects.get(key);
    if (old === undefined) return undefined;
    this.#objects.delete(key);
    take(this.#byNamespace, key, old);
    for (const index of this.#indexes.values()) take(index, key, old);
    return old;
  }
}

/** Most changes leave an object where it is found: then it only takes the place of its old state there. */
function replace<T>(index: Index<T>, key: string, { old, object }: { old: T | undefined; object: T }): void {
  if (old === undefined) {
    put(index, key, object);
    return;
  }
  const values = index.values(object);
  const before = index.values(old);
  if (values.length === before.length && values.every((value, at) => value === before[at])) {
    for (const value of values) index.keysByValue.get(value)?.set(key, object);
    return;
  }
  take(index, key, old);
  put(index, key, object);
}

function put<T>(index: Index<T>, key: string, object: T): void {
  for (const value of index.values(object)) {
    const found = index.keysByValue.get(value) ?? new Map<string, T>();
    index.keysByValue.set(value, found.set(key, object));
  }
}

function take<T>(index: Index<T>, key: string, object: T): void {
  for (const value of index.values(object)) {
    const found = index.keysByValue.get(value);
    found?.delete(key);
    if (found?.size === 0) index.keysByValue.delete(value);
  }
}
