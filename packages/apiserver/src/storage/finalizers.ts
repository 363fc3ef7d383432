import type { KubeObject, ResourceDefinition } from "@skiff/api";
import { isJsonObject } from "@skiff/base";
import type { DeleteRequest } from "../contracts.ts";

const orphan = "orphan";
const foreground = "foregroundDeletion";

/** Finalizers in the spec hold a Namespace until its content is gone. */
function specFinalizers(object: KubeObject): number {
  const spec: unknown = Reflect.get(object, "spec");
  return isJsonObject(spec) && Array.isArray(spec.finalizers) ? spec.finalizers.length : 0;
}

/** True while something must happen before the object may go. */
export const isHeld = (object: KubeObject): boolean =>
  (object.metadata.finalizers ?? []).length > 0 || specFinalizers(object) > 0;

/** True when an object that is being deleted has nothing left to wait for. */
export const isFinalized = (object: KubeObject): boolean =>
  object.metadata.deletionTimestamp !== undefined &&
  (object.metadata.deletionGracePeriodSeconds ?? 0) === 0 &&
  !isHeld(object);

/** The finalizers that a deletion leaves an object with: what becomes of its dependents is the garbage collector's work. */
export function finalizersFor(
  finalizers: readonly string[],
  asked: DeleteRequest["propagationPolicy"],
  { orphansByDefault }: Pick<ResourceDefinition, "orphansByDefault">,
): readonly string[] {
  const saysItself = finalizers.includes(orphan) || finalizers.includes(foreground);
  const policy = asked ?? (orphansByDefault === true && !saysItself ? "Orphan" : undefined);
  // Without a policy the object's own wish stands, which is said by its finalizers.
  if (policy === undefined) return finalizers;
  const others = finalizers.filter((name) => name !== orphan && name !== foreground);
  if (policy === "Background") return others;
  const wanted = policy === "Orphan" ? orphan : foreground;
  return finalizers.includes(wanted) ? [...others.filter((name) => name !== wanted), wanted] : [...others, wanted];
}
