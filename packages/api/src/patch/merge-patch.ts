import { deepCopy, isJsonObject, type JsonObject, type JsonValue } from "@skiff/base";
import { unprocessable } from "./rejection.ts";

/** Deeper patches are refused rather than allowed to exhaust the stack. */
const deepest = 500;

/**
 * Applies a JSON merge patch (RFC 7386) and returns the new value; `target` is not changed, and what the patch leaves alone is
 * shared with it. Throws `StatusError` (422) for patches nested too deeply.
 */
export function applyMergePatch(target: JsonValue, patch: JsonValue): JsonValue {
  return merged(target, patch, 0);
}

function merged(target: JsonValue | undefined, patch: JsonValue, depth: number): JsonValue {
  if (depth > deepest) throw unprocessable("exceeded max depth");
  if (!isJsonObject(patch)) return deepCopy(patch);
  const members = new Map<string, JsonValue | undefined>(isJsonObject(target) ? Object.entries(target) : []);
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) members.delete(key);
    else if (value !== undefined) members.set(key, merged(members.get(key), value, depth + 1));
  }
  const result: JsonObject = Object.fromEntries(members);
  return result;
}
