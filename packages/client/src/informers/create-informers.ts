import { apiVersionOf, type KubeObject, type ResourceDefinition } from "@skiff/api";
import { assert, Background } from "@skiff/base";
import type { Informer, Informers } from "../informer.ts";
import { CachedResource, type CacheFilter, type CacheOptions } from "./cached-resource.ts";

/** Informers over one client. Each cache starts when it is first asked for and runs until disposal. */
export function createInformers(options: CacheOptions): Informers {
  const background = new Background({ logger: options.logger });
  /** Whole resources are asked for all the time. */
  let whole = new WeakMap<ResourceDefinition, Informer<KubeObject>>();
  const running = new Map<string, Running>();
  const start = <T extends KubeObject>(resource: ResourceDefinition<T>, filter: CacheFilter): Informer<T> => {
    const key = keyOf(resource, filter);
    const known = running.get(key)?.cache;
    if (known !== undefined) {
      assert(isCacheOf(resource, known), "a cache is shared by equal resources");
      return known;
    }
    assert(!background.signal.aborted, "informers are asked for while they run");
    const cache = new CachedResource(resource, filter, options);
    const ending = new AbortController();
    running.set(key, { cache, renew: () => cache.renew(), ending });
    background.run(`cache of ${resource.plural}`, (signal) => cache.run(AbortSignal.any([signal, ending.signal])));
    return cache;
  };
  return {
    for(resource, filter) {
      if (filter !== undefined) return start(resource, filter);
      const known = whole.get(resource);
      if (known !== undefined && isCacheOf(resource, known)) return known;
      const cache = start(resource, {});
      whole.set(resource, cache);
      return cache;
    },
    forget(resource) {
      const key = keyOf(resource, {});
      running.get(key)?.ending.abort();
      running.delete(key);
      whole = new WeakMap();
    },
    renew() {
      for (const { renew } of running.values()) renew();
    },
    async whenSynced(signal) {
      await Promise.all([...running.values()].map(({ cache }) => cache.whenSynced(signal)));
    },
    [Symbol.asyncDispose]: () => background[Symbol.asyncDispose](),
  };
}

interface Running {
  readonly cache: Informer<KubeObject>;
  readonly renew: () => void;
  readonly ending: AbortController;
}

const keyOf = (resource: ResourceDefinition, { namespace, labelSelector, fieldSelector }: CacheFilter): string =>
  JSON.stringify([apiVersionOf(resource), resource.plural, namespace, labelSelector, fieldSelector]);

/** The key says which resource a cache is of, hence which type. */
const isCacheOf = <T extends KubeObject>(
  resource: ResourceDefinition<T>,
  cache: Informer<KubeObject> | Informer<T>,
): cache is Informer<T> => cache.resource.plural === resource.plural;
