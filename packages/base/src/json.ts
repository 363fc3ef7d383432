/** The values that JSON can say. Whole numbers beyond what `number` holds exactly are bigints (`parseJson`). Objects that came off the wire are `JsonObject` until a schema has been applied. */
export type JsonValue = string | number | bigint | boolean | null | JsonValue[] | JsonObject;

/** A JSON object. `undefined` members are left out when written, as `JSON.stringify` does. */
export interface JsonObject {
  [key: string]: JsonValue | undefined;
}

/** True for objects that are neither `null` nor arrays. */
export const isJsonObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

// Bigints are written with all their digits. This is the one place for it: every text of JSON is to say the same.
Reflect.defineProperty(BigInt.prototype, "toJSON", {
  configurable: true,
  value(this: bigint) {
    return rawJson(this.toString());
  },
});

/** `JSON.rawJSON`, which the compiler's library does not know yet. */
function rawJson(text: string): unknown {
  const raw: unknown = Reflect.get(JSON, "rawJSON");
  return typeof raw === "function" ? raw(text) : Number(text);
}

/** Where a number stands that has so many digits that a `number` may lose some. Texts may look so, too: it is only a hint. */
const longNumber = /[:[,]\s*-?\d{16}|^\s*-?\d{16}/;
const smallest = -(2n ** 63n);
const largest = 2n ** 63n - 1n;

/**
 * `JSON.parse` without loss: whole numbers of 64 bits that a `number` cannot hold become bigints. Throws `SyntaxError`. Costs a
 * look through the text; only texts with long numbers are read in the slow way.
 */
export function parseJson(text: string): JsonValue {
  if (!longNumber.test(text)) {
    const value: JsonValue = JSON.parse(text);
    return value;
  }
  const reviver: (this: unknown, key: string, value: unknown, context?: { readonly source?: string }) => unknown =
    exactly;
  const value: JsonValue = JSON.parse(text, reviver);
  return value;
}

function exactly(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (typeof value !== "number" || Number.isSafeInteger(value)) return value;
  const source = context?.source ?? "";
  if (!/^-?\d+$/.test(source)) return value;
  const exact = BigInt(source);
  return exact >= smallest && exact <= largest ? exact : value;
}

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
 * `value`, with those of its parts that say the same as in `old` replaced by these: `old` itself where all of it does. Changes
 * `value` in place, where it is not frozen. What most versions of an object have in common is then in memory once, need not be
 * frozen again, and is seen to be equal at a glance.
 */
export function sharedWith<T>(value: T, old: unknown): T {
  return share(value, old) as T;
}

function share(value: unknown, old: unknown): unknown {
  if (value === old) return value;
  if (Array.isArray(value)) {
    if (!Array.isArray(old)) return value;
    if (Object.isFrozen(value)) return jsonEqual(value, old) ? old : value;
    let same = value.length === old.length;
    for (let index = 0; index < value.length; index++) {
      const item = share(value[index], old[index]);
      value[index] = item;
      same &&= item === old[index];
    }
    return same ? old : value;
  }
  if (!isJsonObject(value) || !isJsonObject(old)) return value;
  if (Object.isFrozen(value)) return jsonEqual(value, old) ? old : value;
  return shareMembers(value, old) ? old : value;
}

/** Shares the members of an object; whether all of them are the same now. */
function shareMembers(value: Record<string, unknown>, old: Readonly<Record<string, unknown>>): boolean {
  let same = true;
  let members = 0;
  for (const key in value) {
    const member = value[key];
    if (member === undefined) continue;
    members++;
    const before = Object.hasOwn(old, key) ? old[key] : undefined;
    const shared = share(member, before);
    if (shared !== member) value[key] = shared;
    same &&= shared === before;
  }
  for (const key in old) if (old[key] !== undefined) members--;
  return same && members === 0;
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
