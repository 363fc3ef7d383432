import type { LabelMatcher, Pod } from "@skiff/api";

/** Which pods something is about: namespaces (`undefined`: all) and a selector. */
export interface PodScope {
  readonly namespaces: ReadonlySet<string> | undefined;
  readonly selector: LabelMatcher;
}

/** Whether a pod is meant. */
export const inScope = ({ namespaces, selector }: PodScope, { metadata }: Pod): boolean =>
  (namespaces === undefined || namespaces.has(metadata.namespace ?? "")) && selector.matches(metadata.labels);

/**
 * Things that are about pods, found from a pod without looking at all of them: each lies in the bucket of its namespace and, where
 * its selector asks for one value of a label, of that label.
 */
export class LabelBuckets<T> {
  readonly #buckets = new Map<string, Set<T>>();

  add(thing: T, scope: PodScope): void {
    for (const key of keysOf(scope)) {
      const bucket = this.#buckets.get(key) ?? new Set();
      this.#buckets.set(key, bucket.add(thing));
    }
  }

  remove(thing: T, scope: PodScope): void {
    for (const key of keysOf(scope)) {
      const bucket = this.#buckets.get(key);
      bucket?.delete(thing);
      if (bucket?.size === 0) this.#buckets.delete(key);
    }
  }

  /** Calls `found` once for each thing that may be about the pod; whether it is, its scope tells. */
  *candidates({ metadata }: Pod): Iterable<T> {
    if (this.#buckets.size === 0) return;
    const labels = Object.entries(metadata.labels ?? {});
    for (const namespace of [metadata.namespace ?? "", everywhere]) {
      yield* this.#buckets.get(namespace) ?? [];
      for (const [key, value] of labels) yield* this.#buckets.get(bucketKey(namespace, key, value)) ?? [];
    }
  }
}

const everywhere = "*";
const bucketKey = (namespace: string, key: string, value: string) => `${namespace} ${key}=${value}`;

function keysOf({ namespaces, selector }: PodScope): readonly string[] {
  const exact = selector.requirements.find(
    ({ operator, values }) => (operator === "=" || operator === "in") && values.length === 1,
  );
  return [...(namespaces ?? [everywhere])].map((namespace) =>
    exact === undefined ? namespace : bucketKey(namespace, exact.key, exact.values[0] ?? ""),
  );
}
