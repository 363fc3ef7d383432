import { deepCopy, isJsonObject, type JsonObject, type JsonValue, jsonEqual } from "@skiff/base";
import type { FieldSchema, Schema, StructSchema } from "../schema/schema.ts";
import { refusals } from "../status-error.ts";
import { goText, unclassified, unprocessable } from "./rejection.ts";
import { ordered } from "./strategic-order.ts";

/**
 * Strategic merge patches: merge patches in which the schema says what lists are merged by, and directives say the rest.
 * https://kubernetes.io/docs/tasks/manage-kubernetes-objects/update-api-object-kubectl-patch/
 *
 * - `$patch: replace | delete | merge` in an object or in an item of a list
 * - `$retainKeys: [names]`: other fields of the object go
 * - `$deleteFromPrimitiveList/FIELD: [values]`
 * - `$setElementOrder/FIELD: [items or values]`: the order that the merged list has
 */

const deepest = 500;
const orderPrefix = "$setElementOrder/";
const deletePrefix = "$deleteFromPrimitiveList/";

/**
 * Applies a strategic merge patch and returns the new object; `target` is not changed. Throws `StatusError`: 400 for malformed
 * directives, 500 (as Kubernetes does) for items of a list without their merge key.
 */
export function applyStrategicMergePatch(target: JsonObject, patch: JsonObject, schema: StructSchema): JsonObject {
  return mergeObject(target, patch, { schema, depth: 0 });
}

interface Place {
  readonly schema: Schema | undefined;
  readonly depth: number;
}

function inside(place: Place, schema: Schema | undefined): Place {
  if (place.depth > deepest) throw unprocessable("exceeded max depth");
  return { schema, depth: place.depth + 1 };
}

/** The field's schema; a map's values all have the same. */
function fieldOf(place: Place, name: string): FieldSchema | undefined {
  if (place.schema?.kind === "struct") return place.schema.field(name);
  return undefined;
}

const valueSchema = (place: Place, name: string): Schema | undefined =>
  place.schema?.kind === "map" ? place.schema.value : fieldOf(place, name)?.schema;

function mergeObject(target: JsonObject, patch: JsonObject, place: Place): JsonObject {
  const directive = patch.$patch;
  if (directive !== undefined) {
    if (directive === "delete") return {};
    if (directive === "replace") return withoutDirectives(patch, place);
    if (directive !== "merge") {
      throw unclassified(`unknown patch type: ${goText(directive)} in map: ${goText(patch)}`);
    }
  }
  const members = new Map<string, JsonValue | undefined>(Object.entries(target));
  retainKeys(members, patch);
  for (const [key, value] of Object.entries(patch)) {
    if (key === "$patch" || key === "$retainKeys" || value === undefined) continue;
    if (key.startsWith(orderPrefix) || key.startsWith(deletePrefix)) continue;
    if (value === null) members.delete(key);
    else members.set(key, mergeValue(members.get(key), value, { place, key }));
  }
  for (const [key, value] of Object.entries(patch)) {
    if (key.startsWith(deletePrefix)) deleteValues(members, key.slice(deletePrefix.length), value);
  }
  for (const [key, value] of Object.entries(patch)) {
    if (key.startsWith(orderPrefix)) {
      setOrder({ members, key: key.slice(orderPrefix.length), order: value, target, patch, place });
    }
  }
  return Object.fromEntries(members);
}

/** A new value as it is stored: its own directives carried out, nulls gone. */
const withoutDirectives = (patch: JsonObject, place: Place): JsonObject => {
  const { $patch: _directive, ...rest } = patch;
  return mergeObject({}, rest, place);
};

interface Member {
  readonly place: Place;
  readonly key: string;
}

function mergeValue(target: JsonValue | undefined, patch: JsonValue, { place, key }: Member): JsonValue {
  const field = fieldOf(place, key);
  const schema = valueSchema(place, key);
  if (isJsonObject(patch)) {
    const inner = inside(place, schema);
    const base = isJsonObject(target) && field?.replace !== true ? target : {};
    return mergeObject(base, patch, inner);
  }
  if (Array.isArray(patch)) {
    if (field?.merge !== true) return deepCopy(patch);
    const item = schema?.kind === "list" ? schema.item : undefined;
    return mergeList(Array.isArray(target) ? target : [], patch, { field, place: inside(place, item) });
  }
  return patch;
}

/** Items that `$retainKeys` does not name go; all that the patch sets must be named. */
function retainKeys(members: Map<string, unknown>, patch: JsonObject): void {
  const retained = patch.$retainKeys;
  if (retained === undefined) return;
  if (!Array.isArray(retained)) throw refusals.badRequest("invalid patch format of retainKeys");
  const names = new Set(retained);
  const stray = Object.entries(patch).some(([key, value]) => !key.startsWith("$") && value !== null && !names.has(key));
  if (stray) throw refusals.badRequest("invalid patch format of retainKeys");
  for (const key of [...members.keys()]) if (!names.has(key)) members.delete(key);
}

function deleteValues(members: Map<string, JsonValue | undefined>, key: string, values: JsonValue | undefined): void {
  if (!Array.isArray(values)) {
    throw refusals.badRequest("invalid patch format of primitive list");
  }
  const list = members.get(key);
  if (!Array.isArray(list)) return;
  members.set(
    key,
    list.filter((item) => !values.some((value) => jsonEqual(item, value))),
  );
}

interface OrderRequest {
  readonly members: Map<string, JsonValue | undefined>;
  readonly key: string;
  readonly order: JsonValue | undefined;
  readonly target: JsonObject;
  readonly patch: JsonObject;
  readonly place: Place;
}

function setOrder({ members, key, order, target, patch, place }: OrderRequest): void {
  if (!Array.isArray(order)) throw refusals.badRequest("invalid patch format of setElementOrder list");
  const list = members.get(key);
  if (!Array.isArray(list)) return;
  const mergeKey = fieldOf(place, key)?.mergeKey;
  const patched = patch[key];
  if (Array.isArray(patched)) checkOrder(patched, order, { key, mergeKey });
  const before = target[key];
  members.set(key, ordered({ merged: list, order, before: Array.isArray(before) ? before : [], mergeKey }));
}

interface ListIdentity {
  readonly key: string;
  readonly mergeKey: string | undefined;
}

/** The items of a patch must be among those that the order names, and in that order. */
function checkOrder(patched: readonly JsonValue[], order: readonly JsonValue[], { key, mergeKey }: ListIdentity): void {
  const identity = (item: JsonValue): JsonValue | undefined =>
    mergeKey === undefined ? item : isJsonObject(item) ? item[mergeKey] : undefined;
  let at = 0;
  for (const item of patched) {
    if (isJsonObject(item) && item.$patch !== undefined) continue;
    const wanted = identity(item);
    while (at < order.length && !jsonEqual(identity(order[at] ?? null), wanted)) at++;
    if (at < order.length) continue;
    throw unclassified(
      `The order in patch list:\n${goText([...patched])}\n doesn't match ${orderPrefix}${key} list:\n${goText([...order])}\n`,
    );
  }
}

interface ListPlace {
  readonly field: FieldSchema;
  /** Of the items. */
  readonly place: Place;
}

function mergeList(
  target: readonly JsonValue[],
  patch: readonly JsonValue[],
  { field, place }: ListPlace,
): JsonValue[] {
  const { mergeKey } = field;
  if (mergeKey === undefined) {
    const merged: JsonValue[] = [];
    for (const item of [...target, ...patch]) {
      if (isJsonObject(item) || Array.isArray(item)) throw unclassified("lists of lists are not supported");
      if (!merged.includes(item)) merged.push(item);
    }
    return ordered({ merged, order: patch, before: target, mergeKey });
  }
  const items = patch.map((item) => {
    if (isJsonObject(item)) return item;
    throw unclassified(`expected map[string]interface{} in list ${field.name}, got: ${goText(item)}`);
  });
  const plain = items.filter((item) => item.$patch === undefined || item.$patch === "merge");
  if (items.some((item) => item.$patch === "replace")) return plain.map((item) => mergeObject({}, item, place));
  let merged: JsonValue[] = [...target];
  for (const item of items) {
    if (item.$patch !== "delete") continue;
    const gone = keyOf(item, mergeKey);
    merged = merged.filter((other) => !isJsonObject(other) || !jsonEqual(other[mergeKey], gone));
  }
  for (const item of plain) {
    const identity = keyOf(item, mergeKey);
    const index = merged.findIndex((other) => isJsonObject(other) && jsonEqual(other[mergeKey], identity));
    const known = merged[index];
    if (isJsonObject(known)) merged[index] = mergeObject(known, item, place);
    else merged.push(mergeObject({}, item, place));
  }
  const unknown = items.find((item) => !["replace", "delete", "merge", undefined].some((one) => one === item.$patch));
  if (unknown !== undefined) {
    throw unclassified(`unknown patch type: ${goText(unknown.$patch)} in map: ${goText(unknown)}`);
  }
  return ordered({ merged, order: plain, before: target, mergeKey });
}

function keyOf(item: JsonObject, mergeKey: string): JsonValue {
  const value = item[mergeKey];
  if (value === undefined) {
    throw unclassified(`map: ${goText(item)} does not contain declared merge key: ${mergeKey}`);
  }
  return value;
}
