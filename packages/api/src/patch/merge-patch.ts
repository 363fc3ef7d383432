import type { JsonValue } from "@skiff/base";

/** Applies a JSON merge patch (RFC 7386) and returns the new value; `target` is not changed. */
export function applyMergePatch(_target: JsonValue, _patch: JsonValue): JsonValue {
  throw new Error("not yet");
}
