/**
 * Revisions of a pod template, kept as ControllerRevisions: what a StatefulSet or DaemonSet rolls out, and back to. A
 * template that was there before gets its old revision back under a new number, so that its pods need no restart.
 */
import type { ControllerRevision, PodTemplateSpec } from "@skiff/api";
import { deepCopy, isJsonObject, type JsonObject, type JsonValue, jsonEqual } from "@skiff/base";

/**
 * A template as `kubectl rollout undo` applies it: a strategic merge patch of the object that owns the revision. Its keys are
 * in order: clients know the revision of a template by comparing bytes.
 */
export const revisionData = (template: PodTemplateSpec): JsonObject => ({
  spec: { template: inOrder({ $patch: "replace", ...asJson(template) }) },
});

function asJson(template: PodTemplateSpec): JsonObject {
  const copy: unknown = JSON.parse(JSON.stringify(template));
  return isJsonObject(copy) ? copy : {};
}

function inOrder(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(inOrder);
  if (!isJsonObject(value)) return value;
  const keys = Object.keys(value).sort();
  return Object.fromEntries(keys.map((key) => [key, inOrder(value[key] ?? null)]));
}

const isTemplate = (value: unknown): value is PodTemplateSpec => isJsonObject(value);

/** The template that a revision keeps; `undefined` where somebody has spoilt it. */
export function templateOf({ data }: ControllerRevision): PodTemplateSpec | undefined {
  const spec = data?.spec;
  const { $patch: _directive, ...template } = isJsonObject(spec) && isJsonObject(spec.template) ? spec.template : {};
  const copy: unknown = deepCopy(template);
  return isTemplate(copy) && Object.keys(copy).length > 0 ? copy : undefined;
}

/** Oldest first. */
export const byRevision = (a: ControllerRevision, b: ControllerRevision): number =>
  a.revision - b.revision ||
  Date.parse(a.metadata.creationTimestamp) - Date.parse(b.metadata.creationTimestamp) ||
  (a.metadata.name < b.metadata.name ? -1 : 1);

export type RevisionPlan =
  /** The newest revision is the template's. */
  | { readonly kind: "keep"; readonly revision: ControllerRevision }
  /** An older one is: it becomes the newest. */
  | { readonly kind: "renumber"; readonly revision: ControllerRevision; readonly number: number }
  | { readonly kind: "create"; readonly number: number };

/** What has to be done so that the newest revision is the one of `data`. */
export function planRevision(revisions: readonly ControllerRevision[], data: JsonObject): RevisionPlan {
  const sorted = [...revisions].sort(byRevision);
  const newest = sorted.at(-1);
  const number = (newest?.revision ?? 0) + 1;
  const same = sorted.findLast((revision) => jsonEqual(revision.data, data));
  if (same === undefined) return { kind: "create", number };
  return same === newest ? { kind: "keep", revision: same } : { kind: "renumber", revision: same, number };
}

/** The oldest revisions that nobody uses, beyond the `limit` that may stay. */
export function expiredRevisions(
  revisions: readonly ControllerRevision[],
  options: { readonly limit: number; isLive(revision: ControllerRevision): boolean },
): readonly ControllerRevision[] {
  const idle = [...revisions].sort(byRevision).filter((revision) => !options.isLive(revision));
  return idle.slice(0, Math.max(0, idle.length - options.limit));
}
