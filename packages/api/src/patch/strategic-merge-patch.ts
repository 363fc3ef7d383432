import type { JsonObject } from "@skiff/base";
import type { StructSchema } from "../schema/schema.ts";

/**
 * Applies a strategic merge patch and returns the new object; `target` is not changed. Throws `StatusError` (400 for malformed
 * directives, 422 for items without their merge key, …).
 */
export function applyStrategicMergePatch(_target: JsonObject, _patch: JsonObject, _schema: StructSchema): JsonObject {
  throw new Error("not yet");
}
