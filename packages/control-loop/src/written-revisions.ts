import { type KubeObject, type ObjectRef, qualifiedPlural, type ResourceDefinition, StatusError } from "@skiff/api";
import { isAbort, isJsonObject } from "@skiff/base";
import type { Client, Informer } from "@skiff/client";

/** Finds the cache in which a write will show; `undefined`: none that the loop reads. */
export type CacheOf = <T extends KubeObject>(resource: ResourceDefinition<T>) => Informer<T> | undefined;

/**
 * What a loop has written for a key and not yet seen in its caches. A loop that acted on a cache that lacks its own last
 * writes would do things twice: so a key waits until all of this is visible.
 */
export class WrittenRevisions {
  readonly #unseen: (() => boolean)[] = [];
  readonly #versions = new Set<string>();
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

  /** Whether a resource version was made here: by a creation, or by an update of one version. Patches do not tell. */
  includes(resourceVersion: string): boolean {
    return this.#versions.has(resourceVersion);
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
    const made = <T extends KubeObject>(resource: ResourceDefinition<T>, object: T): T => {
      this.#versions.add(object.metadata.resourceVersion);
      return wrote(resource, object);
    };
    /** Of an update that changed nothing, or was of any version, the version may be that of whoever wrote before. */
    const updated = <T extends KubeObject>(resource: ResourceDefinition<T>, sent: T, object: T): T => {
      const { resourceVersion: before = "" } = sent.metadata;
      const isOwn = before !== "" && before !== object.metadata.resourceVersion;
      return isOwn ? made(resource, object) : wrote(resource, object);
    };
    return {
      get: (resource, ref, options) => client.get(resource, ref, options),
      list: (resource, options) => client.list(resource, options),
      watch: (resource, options) => client.watch(resource, options),
      create: async (resource, object, options) => {
        try {
          return made(resource, await client.create(resource, object, options));
        } catch (error) {
          const { namespace } = object.metadata;
          if (isUncertain(error, options.signal)) {
            await this.#lookFor(resource, client, { ...(namespace !== undefined && { namespace }), ...options });
          }
          throw error;
        }
      },
      update: async (resource, object, options) =>
        updated(resource, object, await client.update(resource, object, options)),
      updateStatus: async (resource, object, options) =>
        updated(resource, object, await client.updateStatus(resource, object, options)),
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
    this.#waitFor(resource, Number(resourceVersion));
  }

  #waitFor(resource: ResourceDefinition, revision: number): void {
    const cache = this.#cacheOf(resource);
    if (cache === undefined || !Number.isInteger(revision)) return;
    this.#unseen.push(() => cache.revision >= revision);
  }

  /** What was perhaps made is waited for as well: whoever tries again without seeing it makes it twice. */
  async #lookFor(resource: ResourceDefinition, client: Client, where: Parameters<Client["list"]>[1]): Promise<void> {
    if (this.#cacheOf(resource) === undefined) return;
    try {
      const { items } = await client.list(resource, { ...where });
      this.#waitFor(resource, Math.max(0, ...items.map(({ metadata }) => Number(metadata.resourceVersion))));
    } catch {
      // The server is away altogether: then there is time, too.
      this.#unseen.push(() => false);
    }
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

/** Whether a write that failed may have been done all the same: nobody has refused it. */
const isUncertain = (error: unknown, signal: AbortSignal): boolean =>
  !isAbort(error, signal) && (!(error instanceof StatusError) || error.code >= 500);

/** Resources are told apart by group and plural; versions share their objects. */
export const resourceKey = (resource: ResourceDefinition): string => qualifiedPlural(resource);
