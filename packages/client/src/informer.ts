import type { KubeObject, ResourceDefinition } from "@skiff/api";

/** What changed in a cache. The cache already shows the change when a listener hears of it. */
export type CacheChange<T extends KubeObject> =
  | { readonly kind: "added"; readonly object: T }
  | { readonly kind: "updated"; readonly object: T; readonly old: T }
  | { readonly kind: "deleted"; readonly object: T };

/** A local, live copy of a resource: one list, then a watch, resumed or repeated for as long as it runs. */
export interface Informer<T extends KubeObject> {
  readonly resource: ResourceDefinition<T>;
  /** False until the first list has been read. */
  readonly synced: boolean;
  /** Resolves once synced. */
  whenSynced(signal: AbortSignal): Promise<void>;
  /** The newest revision that the cache has seen (of this resource or by bookmark). */
  readonly revision: number;
  get(name: string, namespace?: string): T | undefined;
  /** All objects, or those of one namespace. */
  list(namespace?: string): readonly T[];
  /** Objects for which the named index (see `addIndex`) gives `value`. */
  byIndex(index: string, value: string): readonly T[];
  /** Adds an index: for each object the values it is found under. Idempotent by name. */
  addIndex(index: string, values: (object: T) => readonly string[]): void;
  /** Calls `listener` for what is already there (as `added`) and for every change, in order. Dispose to stop. */
  onChange(listener: (change: CacheChange<T>) => void): Disposable;
  /** Calls `listener` whenever `revision` has grown, by changes or without any. Dispose to stop. */
  onRevision(listener: () => void): Disposable;
}

/** Informers that share caches: asking twice for the same resource (and selector) gives the same informer. */
export interface Informers extends AsyncDisposable {
  for<T extends KubeObject>(
    resource: ResourceDefinition<T>,
    filter?: { readonly namespace?: string; readonly labelSelector?: string; readonly fieldSelector?: string },
  ): Informer<T>;
  /** Ends the cache of a whole resource that is no longer served. Whoever asks for it again gets another. */
  forget(resource: ResourceDefinition): void;
  /**
   * Has all caches read anew; none counts as synced before it has. For whoever begins to act on caches that were there before: what
   * others, or who acted here before, have written by now is in them then.
   */
  renew(): void;
  /** Resolves when all informers asked for so far are synced. */
  whenSynced(signal: AbortSignal): Promise<void>;
}
