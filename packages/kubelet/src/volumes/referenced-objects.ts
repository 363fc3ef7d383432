import type { KubeObject, ObjectRef, ResourceDefinition } from "@skiff/api";
import { abortable, type Clock, describeError, isAbort, type Logger } from "@skiff/base";
import type { Client } from "@skiff/client";

const isImmutable = (object: KubeObject | undefined): boolean =>
  object !== undefined && "immutable" in object && object.immutable === true;

const keyOf = ({ plural }: Pick<ResourceDefinition, "plural">, { namespace, name }: ObjectRef): string =>
  `${plural} ${namespace ?? ""}/${name}`;

interface Entry {
  readonly owners: Set<string>;
  readonly abort: AbortController;
  object: KubeObject | undefined;
  /** It can never change again, and is not followed any more. */
  final: boolean;
  readonly loaded: Promise<void>;
}

/**
 * The ConfigMaps and Secrets that pods on this node refer to, each followed by a watch of its own for as long as a pod
 * refers to it. The node sees no others.
 */
export class ReferencedObjects implements Disposable {
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #onChange: (uids: readonly string[]) => void;
  readonly #entries = new Map<string, Entry>();

  /** `onChange` hears the uids of the pods that refer to an object that changed. */
  constructor(options: {
    readonly client: Client;
    readonly clock: Clock;
    readonly logger: Logger;
    readonly onChange: (uids: readonly string[]) => void;
  }) {
    this.#client = options.client;
    this.#clock = options.clock;
    this.#logger = options.logger;
    this.#onChange = options.onChange;
  }

  /**
   * The object as it is now, or `undefined`; from now on the pod `owner` hears of its changes. Of some resources a node may look only
   * at those that name it: `selector` says so.
   */
  async get<T extends KubeObject>(
    resource: ResourceDefinition<T>,
    ref: ObjectRef,
    options: { readonly owner: string; readonly selector?: string; readonly signal: AbortSignal },
  ): Promise<T | undefined> {
    const key = keyOf(resource, ref);
    let entry = this.#entries.get(key);
    // One that was final may have been deleted and made anew since.
    if (entry === undefined || (entry.final && !entry.owners.has(options.owner))) {
      const before = entry;
      entry = this.#follow(resource, ref, options.selector);
      for (const owner of before?.owners ?? []) entry.owners.add(owner);
      this.#entries.set(key, entry);
    }
    entry.owners.add(options.owner);
    try {
      await abortable(entry.loaded, options.signal);
    } catch (error) {
      if (!isAbort(error, options.signal)) this.#drop(key, entry);
      throw error;
    }
    return entry.object as T | undefined;
  }

  /** A pod refers to an object no more. */
  forget(resource: Pick<ResourceDefinition, "plural">, ref: ObjectRef, owner: string): void {
    const key = keyOf(resource, ref);
    const entry = this.#entries.get(key);
    if (entry?.owners.delete(owner) === true && entry.owners.size === 0) this.#drop(key, entry);
  }

  /** A pod is gone: objects that only it referred to are no longer followed. */
  release(owner: string): void {
    for (const [key, entry] of this.#entries) {
      if (entry.owners.delete(owner) && entry.owners.size === 0) this.#drop(key, entry);
    }
  }

  [Symbol.dispose](): void {
    for (const [key, entry] of this.#entries) this.#drop(key, entry);
  }

  #drop(key: string, entry: Entry): void {
    entry.abort.abort();
    if (this.#entries.get(key) === entry) this.#entries.delete(key);
  }

  #follow<T extends KubeObject>(resource: ResourceDefinition<T>, ref: ObjectRef, selector: string | undefined): Entry {
    const abort = new AbortController();
    const { promise: loaded, resolve, reject } = Promise.withResolvers<void>();
    const entry: Entry = { owners: new Set(), abort, object: undefined, final: false, loaded };
    loaded.catch(() => {});
    const named = `metadata.name=${ref.name}`;
    const fieldSelector = selector === undefined ? named : `${named},${selector}`;
    this.#loop(resource, { ...ref, fieldSelector }, entry, { resolve, reject }).catch((error: unknown) => {
      reject(error);
      if (!isAbort(error, abort.signal)) this.#logger.error(`watch of ${ref.name}: ${describeError(error)}`);
    });
    return entry;
  }

  async #loop<T extends KubeObject>(
    resource: ResourceDefinition<T>,
    ref: ObjectRef & { readonly fieldSelector: string },
    entry: Entry,
    loaded: { readonly resolve: () => void; readonly reject: (error: unknown) => void },
  ): Promise<void> {
    const { signal } = entry.abort;
    const scope = {
      ...(ref.namespace === undefined ? {} : { namespace: ref.namespace }),
      fieldSelector: ref.fieldSelector,
      signal,
    };
    for (let first = true; !signal.aborted; first = false) {
      try {
        const list = await this.#client.list(resource, scope);
        this.#set(entry, list.items[0]);
        if (isImmutable(entry.object)) {
          entry.final = true;
          loaded.resolve();
          return;
        }
        loaded.resolve();
        const from = list.metadata.resourceVersion;
        for await (const event of this.#client.watch(resource, {
          ...scope,
          ...(from === undefined ? {} : { resourceVersion: from }),
        })) {
          if (event.type === "ADDED" || event.type === "MODIFIED") this.#set(entry, event.object);
          else if (event.type === "DELETED") this.#set(entry, undefined);
          else if (event.type === "ERROR") break;
        }
      } catch (error) {
        if (isAbort(error, signal)) throw error;
        if (first) throw error;
        this.#logger.debug(`watch of ${ref.name}: ${describeError(error)}`);
      }
      await this.#clock.sleep(1000, signal);
    }
  }

  #set(entry: Entry, object: KubeObject | undefined): void {
    const before = entry.object?.metadata.resourceVersion;
    entry.object = object;
    if (before !== object?.metadata.resourceVersion) this.#onChange([...entry.owners]);
  }
}
