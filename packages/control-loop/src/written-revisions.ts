import { type KubeObject, type ObjectRef, qualifiedPlural, type ResourceDefinition } from "@skiff/api";
import { isJsonObject } from "@skiff/base";
import type { Client, Informer } from "@skiff/client";

/** Finds the cache in which a write will show; `undefined`: none that the loop reads. */
export type CacheOf = <T extends KubeObject>(resource: ResourceDefinition<T>) => Informer<T> | undefined;

/**
 * What a loop has written for a key and not yet seen in its caches. A loop that acted on a cache that lacks its own last
 * writes would do things twice: so a key waits until all of this is visible.
 */
export class WrittenRevisions {
  readonly #unseen: (() => boolean)[] = [];
  readonly #cacheOf: CacheOf;

  constructor(cacheOf: CacheOf) {
    this.#cacheOf = cacheOf;
  }

  /** True when the caches show everything that was written. */
  allSeen(): boolean {
    while (this.#unseen.length > 0) {
      if (this.#unseen.at(-1)?.() === false) return false;
      this.#unseen.pop();
    }
    return true;
  }

  /** Gives up waiting. */
  clear(): void {
    this.#unseen.length = 0;
  }

  /** The client whose writes are remembered here. */
  following(client: Client): Client {
    const wrote = <T extends KubeObject>(resource: ResourceDefinition<T>, object: T): T => {
      this.#wrote(resource, object.metadata.resourceVersion);
      return object;
    };
    return {
      get: (resource, ref, options) => client.get(resource, ref, options),
      list: (resource, options) => client.list(resource, options),
      watch: (resource, options) => client.watch(resource, options),
      create: async (resource, object, options) => wrote(resource, await client.create(resource, object, options)),
      update: async (resource, object, options) => wrote(resource, await client.update(resource, object, options)),
      updateStatus: async (resource, object, options) =>
        wrote(resource, await client.updateStatus(resource, object, options)),
      patch: async (resource, ref, patch, options) =>
        wrote(resource, await client.patch(resource, ref, patch, options)),
      delete: async (resource, ref, options) => {
        const before = this.#cacheOf(resource)?.get(ref.name, ref.namespace);
        const answer = await client.delete(resource, ref, options);
        this.#deleted(resource, ref, before?.metadata.uid);
        return answer;
      },
      createSubresource: async (resource, ref, subresource, body, options) => {
        const answer = await client.createSubresource(resource, ref, subresource, body, options);
        const { metadata } = answer;
        if (isJsonObject(metadata) && answer.kind === resource.kind) {
          this.#wrote(resource, String(metadata.resourceVersion));
        }
        return answer;
      },
      getScale: (resource, ref, options) => client.getScale(resource, ref, options),
      setScale: async (resource, ref, replicas, options) => {
        const scale = await client.setScale(resource, ref, replicas, options);
        this.#wrote(resource, scale.resourceVersion);
        return scale;
      },
    };
  }

  #wrote(resource: ResourceDefinition, resourceVersion: string): void {
    const cache = this.#cacheOf(resource);
    const revision = Number(resourceVersion);
    if (cache === undefined || !Number.isInteger(revision)) return;
    this.#unseen.push(() => cache.revision >= revision);
  }

  #deleted(resource: ResourceDefinition, ref: ObjectRef, uid: string | undefined): void {
    const cache = this.#cacheOf(resource);
    if (cache === undefined || uid === undefined) return;
    this.#unseen.push(() => {
      const now = cache.get(ref.name, ref.namespace)?.metadata;
      return now === undefined || now.uid !== uid || now.deletionTimestamp !== undefined;
    });
  }
}

/** Resources are told apart by group and plural; versions share their objects. */
export const resourceKey = (resource: ResourceDefinition): string => qualifiedPlural(resource);
