import type { KubeObject } from "@skiff/api";
import { jsonEqual } from "@skiff/base";
import type { WriteContext } from "../contracts.ts";

/**
 * Leaves owners that are named twice alike named once, and warns of it. `when` is what a warning says of the time: empty for what a
 * client sent, or that admission has happened.
 */
export function dedupOwnerReferences({ metadata }: KubeObject, context: WriteContext, when = ""): void {
  const { ownerReferences } = metadata;
  if (ownerReferences === undefined || ownerReferences.length < 2) return;
  const kept: typeof ownerReferences = [];
  const repeated: string[] = [];
  for (const reference of ownerReferences) {
    if (kept.some((one) => jsonEqual(one, reference))) repeated.push(reference.uid);
    else kept.push(reference);
  }
  if (repeated.length === 0) return;
  metadata.ownerReferences = kept;
  context.warn(
    `.metadata.ownerReferences contains duplicate entries${when}; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: ${repeated.join(", ")}`,
  );
}
