import { isJsonObject, type JsonValue } from "@skiff/base";

/** The largest request that Kubernetes takes, which bounds everything in it that its schema does not bound. */
const requestBytes = 3 * 1024 * 1024;

/** The longest text that a request can hold. */
export const mostText = requestBytes - 2;

/** The most items, each at least so long, that a request can hold: brackets, and a comma each. */
export const mostItems = (leastBytes: number): number => Math.floor((requestBytes - 2) / (leastBytes + 1));

/** The same for entries: two quotes of a key, colon and comma each, and at least two bytes of key. */
export const mostEntries = (leastBytes: number): number => Math.floor((requestBytes - 2) / (leastBytes + 6));

/** The least that a value of a schema takes as JSON. */
export function leastJsonBytes(schema: JsonValue | undefined): number {
  if (!isJsonObject(schema)) return 1;
  if (schema["x-kubernetes-int-or-string"] === true) return 1;
  switch (schema.type) {
    case "object":
      return leastObjectBytes(schema.properties, schema.required);
    case "string":
      return leastStringBytes(schema.format);
    case "array":
      return 2;
    case "boolean":
      return 4;
    default:
      return 1;
  }
}

function leastStringBytes(format: JsonValue | undefined): number {
  if (format === "duration") return 4;
  if (format === "date") return 12;
  return format === "date-time" ? 22 : 2;
}

function leastObjectBytes(properties: JsonValue | undefined, required: JsonValue | undefined): number {
  if (!isJsonObject(properties) || !Array.isArray(required)) return 2;
  let bytes = 2;
  for (const [name, schema] of Object.entries(properties)) {
    const isDefaulted = isJsonObject(schema) && schema.default !== undefined;
    if (required.includes(name) && !isDefaulted) bytes += name.length + leastJsonBytes(schema) + 4;
  }
  return bytes;
}
