import { deepCopy, present } from "@skiff/base";
import type { DynamicObject } from "../object.ts";
import type { RemoteConversion, StoredAs } from "../resource-definition.ts";
import { fieldsOf, type Version } from "./custom-version.ts";
import { prune, settle } from "./settle.ts";

/** Asks for objects, all of them in one version, in another. Gives them in the same order; rejects with `StatusError`. */
export type VersionConverter = (
  objects: readonly DynamicObject[],
  apiVersion: string,
) => Promise<readonly DynamicObject[]>;

/** All versions of a definition, and how objects get from one to another: by their name only, where there is no webhook. */
export interface Versions {
  readonly all: readonly Version[];
  readonly convert: VersionConverter | undefined;
}

/**
 * Objects are stored in the storage version and may have been written under another version or an older schema: reading
 * brings them into the form that the schema of their version has today, then into the version that is asked for.
 */
export function storedForm(
  place: { readonly group: string; readonly plural: string },
  version: Version,
  { all, convert }: Versions,
): StoredAs {
  const storage = present(
    all.find(({ text }) => text.storage),
    "a definition has a version that is stored",
  );
  const written = (object: DynamicObject) => all.find(({ apiVersion }) => apiVersion === object.apiVersion) ?? version;
  return {
    ...place,
    version: storage.text.name,
    toStored(object) {
      if (object.apiVersion === storage.apiVersion) return object;
      return convert === undefined ? renamed(object, storage) : converted(object, storage, convert);
    },
    fromStored(object) {
      const from = written(object);
      const copy = deepCopy(object);
      const settled = settle(fieldsOf(copy), from.structural);
      if (from === version) return settled ? copy : object;
      return pruned(renamed(copy, version), version);
    },
    ...(convert === undefined ? {} : { remote: remoteForm(version, written, convert) }),
  };
}

const renamed = (object: DynamicObject, { apiVersion }: Version): DynamicObject => ({ ...object, apiVersion });

function pruned(object: DynamicObject, version: Version): DynamicObject {
  prune(fieldsOf(object), version.structural, true);
  return object;
}

async function converted(object: DynamicObject, to: Version, convert: VersionConverter): Promise<DynamicObject> {
  const [made] = await convert([object], to.apiVersion);
  return pruned(present(made, "one object is converted to one"), to);
}

function remoteForm(
  version: Version,
  written: (object: DynamicObject) => Version,
  convert: VersionConverter,
): RemoteConversion {
  return {
    isForeign: (stored) => written(stored) !== version,
    async fromStored(stored) {
      const settled = stored.map((object) => {
        const copy = deepCopy(object);
        settle(fieldsOf(copy), written(object).structural);
        return copy;
      });
      const shown = new Map<DynamicObject, DynamicObject>();
      // A review is about one version; most lists have no other.
      for (const group of Map.groupBy(settled, ({ apiVersion }) => apiVersion).values()) {
        const made = await convert(group, version.apiVersion);
        for (const [index, object] of group.entries()) {
          shown.set(object, pruned(present(made[index], "as many objects as there were"), version));
        }
      }
      return settled.map((object) => present(shown.get(object), "each object was converted"));
    },
  };
}
