import type { JsonValue } from "@skiff/base";

/**
 * Applies a JSON patch (RFC 6902) and returns the new value; `target` is not changed. Throws `StatusError`: 400 when the patch is
 * not one, 413 for more than 10,000 operations, 422 when an operation (or its `test`) fails, as Kubernetes answers each.
 */
export function applyJsonPatch(_target: JsonValue, _patch: JsonValue): JsonValue {
  throw new Error("not yet");
}
