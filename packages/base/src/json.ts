/** The values that JSON can say. Objects that came off the wire are `JsonObject` until a schema has been applied. */
export type JsonValue = string | number | boolean | null | JsonValue[] | JsonObject;

/** A JSON object. `undefined` members are left out when written, as `JSON.stringify` does. */
export interface JsonObject {
  [key: string]: JsonValue | undefined;
}

/** True for objects that are neither `null` nor arrays. */
export const isJsonObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Structural equality; members that are `undefined` count as absent. */
export function jsonEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((item, index) => jsonEqual(item, b[index]));
  }
  if (!isJsonObject(a) || !isJsonObject(b)) return false;
  let members = 0;
  for (const key in a) {
    const value = a[key];
    if (value === undefined) continue;
    members++;
    if (!jsonEqual(value, b[key])) return false;
  }
  for (const key in b) if (b[key] !== undefined) members--;
  return members === 0;
}

/**
 * A copy that shares nothing with the original. The one place where an object that others may hold
 * (a cached, frozen object) becomes one that may be changed.
 */
export function deepCopy<T>(value: T): T {
  if (Array.isArray(value)) return value.map((item) => deepCopy(item)) as T;
  if (typeof value !== "object" || value === null) return value;
  const copy: Record<string, unknown> = {};
  for (const key in value) {
    const member = value[key];
    if (member === undefined) continue;
    // A member of this name sets the prototype when it is assigned.
    if (key === "__proto__")
      Object.defineProperty(copy, key, {
        value: deepCopy(member),
        enumerable: true,
        writable: true,
        configurable: true,
      });
    else copy[key] = deepCopy(member);
  }
  return copy as T;
}

/** Freezes a JSON tree in place and returns it: shared objects that a component writes to by mistake then throw. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  for (const member of Object.values(value)) deepFreeze(member);
  return Object.freeze(value);
}
