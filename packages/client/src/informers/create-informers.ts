import { apiVersionOf, type KubeObject, type ResourceDefinition } from "@skiff/api";
import { assert, Background } from "@skiff/base";
import type { Informer, Informers } from "../informer.ts";
import { CachedResource, type CacheFilter, type CacheOptions } from "./cached-resource.ts";

/** Informers over one client. Each cache starts when it is first asked for and runs until disposal. */
export function createInformers(options: CacheOptions): Informers {
  const background = new Background({ logger: options.logger });
  /** Whole resources are asked for all the time. */
  const whole = new Map<ResourceDefinition, Informer<KubeObject>>();
  const running = new Map<string, Informer<KubeObject>>();
  const start = <T extends KubeObject>(resource: ResourceDefinition<T>, filter: CacheFilter): Informer<T> => {
    const key = JSON.stringify([
      apiVersionOf(resource),
      resource.plural,
      filter.namespace,
      filter.labelSelector,
      filter.fieldSelector,
    ]);
    const known = running.get(key);
    if (known !== undefined) {
      assert(isCacheOf(resource, known), "a cache is shared by equal resources");
      return known;
    }
    assert(!background.signal.aborted, "informers are asked for while they run");
    const cache = new CachedResource(resource, filter, options);
    running.set(key, cache);
    background.run(`cache of ${resource.plural}`, (signal) => cache.run(signal));
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
    async whenSynced(signal) {
      await Promise.all([...running.values()].map((cache) => cache.whenSynced(signal)));
    },
    [Symbol.asyncDispose]: () => background[Symbol.asyncDispose](),
  };
}

/** The key says which resource a cache is of, hence which type. */
const isCacheOf = <T extends KubeObject>(
  resource: ResourceDefinition<T>,
  cache: Informer<KubeObject> | Informer<T>,
): cache is Informer<T> => cache.resource.plural === resource.plural;
