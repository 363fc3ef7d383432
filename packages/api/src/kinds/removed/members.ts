import { isJsonObject, type JsonObject } from "@skiff/base";

/** A member that is an object, to be read or changed in place; an empty one of its own where there is none. */
export function objectIn(parent: object, name: string): JsonObject {
  const value: unknown = Reflect.get(parent, name);
  return isJsonObject(value) ? value : {};
}

/** The objects of a list that is a member; none where there is no such list. */
export function objectsIn(parent: object, name: string): JsonObject[] {
  const value: unknown = Reflect.get(parent, name);
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}

/** Gives a member another name, where it is there. */
export function rename(parent: object, from: string, to: string): void {
  if (!(from in parent)) return;
  const value: unknown = Reflect.get(parent, from);
  Reflect.deleteProperty(parent, from);
  Reflect.set(parent, to, value);
}
