import { type CustomResourceDefinition, customResource, isNotFound } from "@skiff/api";
import type { WriteContext } from "../contracts.ts";
import { ObjectStorage } from "../storage/object-storage.ts";
import { removeObject } from "../storage/remove-object.ts";
import type { StorageTable } from "../storage/storage-table.ts";

/** So many deletions are in flight at a time. */
const atOnce = 32;

/** All that is stored of a definition's resource, whichever of its versions are served. No webhook is asked to remove it. */
export const instancesOf = (table: StorageTable, definition: CustomResourceDefinition): ObjectStorage =>
  new ObjectStorage(customResource(definition).stored, table.environment);

/** Deletes all instances, and tells how many are left because something holds them. */
export async function removeInstances(storage: ObjectStorage, context: WriteContext): Promise<number> {
  const waiting = storage.peekAll().filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  const work = async () => {
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      try {
        await removeObject(storage, next.metadata, { request: {}, context });
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, waiting.length) }, work));
  return storage.cache.size;
}
