import { isNotFound } from "@skiff/api";
import type { ServedObject } from "../cache/served-object.ts";
import type { DeleteRequest, WriteContext } from "../contracts.ts";
import type { ObjectStorage } from "../storage/object-storage.ts";
import { removeObject } from "../storage/remove-object.ts";
import { listObjects, type ObjectList } from "./list.ts";
import type { ListOptions } from "./list-options.ts";
import type { ObjectSelection } from "./selection.ts";

/** So many deletions are in flight at a time. */
const atOnce = 32;

/** Deletes the selected objects and gives them as they were last. One that is gone already is none of our business. */
export async function removeMany(
  storage: ObjectStorage,
  what: { readonly selection: ObjectSelection; readonly options: ListOptions },
  how: { readonly request: DeleteRequest; readonly context: WriteContext },
): Promise<ObjectList> {
  const list = await listObjects(storage, what.selection, what.options);
  const items: ServedObject[] = [];
  const waiting = [...list.items].reverse();
  const work = async () => {
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      try {
        items.push((await removeObject(storage, next.object.metadata, how)).served);
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, waiting.length) }, work));
  return { ...list, items };
}
