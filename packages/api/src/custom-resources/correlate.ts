import { isJsonObject, type JsonObject, type JsonValue, jsonEqual } from "@skiff/base";
import type { StructuralSchema } from "./structural-schema.ts";

/** The value that an item has for a key: its own, or the key's default. */
export function keyValue(item: JsonObject, key: string, schema: StructuralSchema): JsonValue | undefined {
  return item[key] ?? schema.items?.properties.get(key)?.default;
}

/** The item of an old list that an item of the new one continues. Only lists with keys tell. */
export function correlatedItem(
  item: JsonValue,
  old: JsonValue | undefined,
  schema: StructuralSchema,
): JsonValue | undefined {
  if (schema.listType !== "map" || !Array.isArray(old) || !isJsonObject(item)) return undefined;
  const same = (other: JsonValue) =>
    isJsonObject(other) &&
    schema.listKeys.every((key) => jsonEqual(keyValue(item, key, schema), keyValue(other, key, schema)));
  const found = old.filter(same);
  return found.length === 1 ? found[0] : undefined;
}
