import { controllerOf, type KubeObject, type LabelMatcher } from "@skiff/api";

/** What belongs to an owner, what it should take, what it should let go. */
export interface ClaimPlan<T extends KubeObject> {
  /** Already its own. */
  readonly keep: readonly T[];
  /** Nobody's, and selected. */
  readonly adopt: readonly T[];
  /** Its own, but no longer selected. */
  readonly release: readonly T[];
}

/**
 * Ownership by selector: an owner takes objects of its namespace that nobody controls and that it selects, and lets go of
 * its own that it does not select any more. Neither happens to objects or by owners that are being deleted.
 */
export function planClaims<T extends KubeObject>(
  owner: KubeObject,
  selector: LabelMatcher,
  objects: Iterable<T>,
): ClaimPlan<T> {
  const keep: T[] = [];
  const adopt: T[] = [];
  const release: T[] = [];
  const ownerLeaves = owner.metadata.deletionTimestamp !== undefined;
  for (const object of objects) {
    const controller = controllerOf(object);
    const selected = selector.matches(object.metadata.labels);
    if (controller?.uid === owner.metadata.uid) {
      if (selected) keep.push(object);
      else if (!ownerLeaves) release.push(object);
    } else if (
      controller === undefined &&
      selected &&
      !ownerLeaves &&
      object.metadata.deletionTimestamp === undefined
    ) {
      adopt.push(object);
    }
  }
  return { keep, adopt, release };
}
