import { isJsonObject, type JsonObject, type JsonValue } from "@skiff/base";
import type { ListSchema, Schema } from "../schema/schema.ts";
import { isGranular, memberSchema } from "./owned-fields.ts";
import { itemElement } from "./path-element.ts";

/**
 * The live object with a configuration laid over it: objects and keyed lists member by member, all else as the configuration has
 * it. Makes a new object that shares what did not change. Throws `PathElementError`.
 */
export function mergeConfiguration(live: JsonObject, config: JsonObject, schema: Schema): JsonObject {
  const members = new Map<string, JsonValue | undefined>(Object.entries(live));
  for (const [name, value] of Object.entries(config)) {
    if (value === undefined) continue;
    members.set(name, mergeValue(members.get(name), value, memberSchema(schema, name).schema));
  }
  return Object.fromEntries(members);
}

function mergeValue(live: JsonValue | undefined, config: JsonValue, schema: Schema): JsonValue {
  if (live === undefined || live === null || !isGranular(schema, config)) return config;
  if (schema.kind === "list")
    return Array.isArray(live) && Array.isArray(config) ? mergeList(live, config, schema) : live;
  return isJsonObject(live) && isJsonObject(config) ? mergeConfiguration(live, config, schema) : live;
}

/**
 * Items in the order of the configuration; live items that it does not have keep their place relative to those they share.
 *
 * @example live [a, b, c], configuration [c, a, x] → [b, c, a, x]
 */
function mergeList(live: readonly JsonValue[], config: readonly JsonValue[], schema: ListSchema): JsonValue[] {
  const old = live.map((item) => itemElement(item, schema));
  const wanted = config.map((item) => itemElement(item, schema));
  const liveBy = new Map(old.map((element, index) => [element, live[index]]));
  const inConfig = new Set(wanted);
  const shared = wanted.filter((element) => liveBy.has(element));
  const done = new Set<string>();
  const merged: JsonValue[] = [];
  const take = (index: number): void => {
    const element = wanted[index] ?? "";
    done.add(element);
    merged.push(mergeValue(liveBy.get(element), config[index] ?? null, schema.item));
    if (shared[0] === element) shared.shift();
  };
  let left = 0;
  let right = 0;
  while (left < old.length || right < wanted.length) {
    const element = old[left];
    if (element !== undefined && element === wanted[right]) {
      take(right++);
      left++;
    } else if (element !== undefined && right < wanted.length && inConfig.has(element) && shared[0] !== element) {
      // A shared item whose turn comes later, where the configuration has it.
      left++;
    } else if (element !== undefined && !inConfig.has(element)) {
      merged.push(live[left++] ?? null);
    } else {
      if (element !== undefined && done.has(element)) left++;
      if (right < wanted.length) take(right++);
    }
  }
  return merged;
}
