import { isJsonObject, type JsonObject, type JsonValue } from "@skiff/base";
import { keyDefault } from "../schema/definition-schema.ts";
import type { ListSchema } from "../schema/schema.ts";

/** How a field is written in a set: `f:replicas`. */
export const fieldElement = (name: string): string => `f:${name}`;

/**
 * How an item of a list is written in a set: `k:{"name":"web"}` by its keys, `v:"a"` by its value. Throws `PathElementError` when
 * an item lacks a key that has no default.
 */
export function itemElement(item: JsonValue, schema: ListSchema): string {
  if (schema.listType === "set") return `v:${JSON.stringify(item)}`;
  if (!isJsonObject(item)) throw new PathElementError("associative list with keys may not have non-map elements");
  const [only] = schema.keys;
  if (only !== undefined && schema.keys.length === 1) return `k:{${keyPart(item, only, schema)}}`;
  const parts: string[] = [];
  for (const key of schema.keys.length > 1 ? [...schema.keys].sort() : schema.keys) {
    parts.push(keyPart(item, key, schema));
  }
  return `k:{${parts.join(",")}}`;
}

/** A name without anything in it that JSON would write otherwise. */
const plainText = /^[\w./ -]*$/;

function keyPart(item: JsonObject, key: string, schema: ListSchema): string {
  const value = item[key] ?? keyDefault(schema.item, key);
  if (value === undefined) {
    throw new PathElementError(
      `associative list with keys has an element that omits key field ${JSON.stringify(key)} (and doesn't have default value)`,
    );
  }
  const text = typeof value === "string" && plainText.test(value) ? `"${value}"` : JSON.stringify(value);
  return `"${key}":${text}`;
}

/** An item of a list that cannot be told from the others. */
export class PathElementError extends Error {
  override name = "PathElementError";
}

/** A path as messages show it: `.spec.containers[name="web"].image`. */
export const pathText = (path: readonly string[]): string => path.map(elementText).join("");

function elementText(element: string): string {
  const content = element.slice(2);
  if (element.startsWith("f:")) return `.${content}`;
  if (element.startsWith("v:")) return `[=${content}]`;
  if (element.startsWith("i:")) return `[${content}]`;
  const keys: JsonValue = parsed(content);
  if (!isJsonObject(keys)) return `[${content}]`;
  return `[${Object.entries(keys)
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .join(",")}]`;
}

function parsed(text: string): JsonValue {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
