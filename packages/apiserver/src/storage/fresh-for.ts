import type { Query } from "../verbs/query.ts";
import type { ObjectStorage } from "./object-storage.ts";

/**
 * What a request has to wait for before it may be answered from the watch cache: that all is there which other servers had
 * written when it came. Nothing where this server is the only one, or where the client asks for any state (`resourceVersion=0`).
 */
export function freshFor(storage: ObjectStorage, query: Query | undefined): Promise<void> | undefined {
  const { cache } = storage.environment;
  return cache.isShared && query?.get("resourceVersion") !== "0" ? cache.fresh() : undefined;
}
