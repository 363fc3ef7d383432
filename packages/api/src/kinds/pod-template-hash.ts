import { encodeNameSafe } from "@skiff/base";
import type { PodTemplateSpec } from "../generated/types/core-v1.ts";

/**
 * The name of a template's content, as in `web-7d4b9c6f5`: the same for templates that are equal after defaulting, whatever
 * the order of their members. `collisionCount` makes another one when the name is taken by a different template.
 */
export function podTemplateHash(template: PodTemplateSpec, collisionCount?: number): string {
  let hash = fnv1a(2_166_136_261, canonical(template));
  if (collisionCount !== undefined) hash = fnv1a(hash, `#${collisionCount}`);
  return encodeNameSafe(String(hash));
}

function fnv1a(start: number, text: string): number {
  let hash = start;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 16_777_619);
  return hash >>> 0;
}

/** JSON with sorted members; absent ones leave no trace. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${canonical(member)}`).join(",")}}`;
}
