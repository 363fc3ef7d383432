import type { Deployment } from "@skiff/api";
import { sum } from "../counts.ts";
import { countIn, desiredReplicasAnnotation, maxReplicasAnnotation } from "./annotations.ts";
import { availableOf, byCreation, type Revision } from "./revision.ts";
import type { Sizes } from "./rolling-update.ts";
import { desiredOf, isRollingUpdate, leewayOf } from "./strategy.ts";

/** True when the Deployment was scaled since its revisions were last sized: each of them remembers for what it was sized. */
export function isScaling(deployment: Deployment, revisions: readonly Revision[]): boolean {
  return revisions.some(({ replicas, annotations }) => {
    const sizedFor = countIn(annotations, desiredReplicasAnnotation);
    return replicas > 0 && sizedFor !== undefined && sizedFor !== desiredOf(deployment);
  });
}

/**
 * Sizes after scaling, without moving the rollout: the one active revision takes it all; a finished rollout leaves nothing to
 * the old ones; in the middle of one each revision grows or shrinks in proportion to its size.
 */
export function scaledSizes(deployment: Deployment, current: Revision | undefined, old: readonly Revision[]): Sizes {
  const desired = desiredOf(deployment);
  const only = activeOrLatest(current, old);
  if (only !== undefined) return new Map([[only.name, desired]]);
  if (current !== undefined && isSaturated(deployment, current)) {
    return new Map(old.filter(({ replicas }) => replicas > 0).map(({ name }) => [name, 0]));
  }
  return isRollingUpdate(deployment) ? proportional(deployment, current, old) : new Map();
}

function activeOrLatest(current: Revision | undefined, old: readonly Revision[]): Revision | undefined {
  const all = current === undefined ? old : [...old, current];
  const active = all.filter(({ replicas }) => replicas > 0);
  if (active.length === 0) return current ?? [...old].sort(byCreation).at(-1);
  return active.length === 1 ? active[0] : undefined;
}

function isSaturated(deployment: Deployment, current: Revision): boolean {
  const desired = desiredOf(deployment);
  return (
    current.replicas === desired &&
    countIn(current.annotations, desiredReplicasAnnotation) === desired &&
    availableOf(current) === desired
  );
}

function proportional(deployment: Deployment, current: Revision | undefined, old: readonly Revision[]): Sizes {
  const active = [...old, ...(current === undefined ? [] : [current])].filter(({ replicas }) => replicas > 0);
  const desired = desiredOf(deployment);
  const allowed = desired > 0 ? desired + leewayOf(deployment).maxSurge : 0;
  const change = allowed - sum(active, ({ replicas }) => replicas);
  // The largest first; among equals growth goes to the newer, shrinking to the older.
  const ordered = [...active].sort(
    (a, b) => b.replicas - a.replicas || (change > 0 ? byCreation(b, a) : byCreation(a, b)),
  );
  const sizes = new Map<string, number>();
  let given = 0;
  for (const revision of ordered) {
    const share = shareOf(deployment, revision, change, given);
    given += share;
    sizes.set(revision.name, revision.replicas + share);
  }
  const [first] = ordered;
  // What rounding left over goes to the largest.
  if (first !== undefined && change !== 0) {
    sizes.set(first.name, Math.max(0, (sizes.get(first.name) ?? 0) + change - given));
  }
  return sizes;
}

function shareOf(deployment: Deployment, revision: Revision, change: number, given: number): number {
  if (revision.replicas === 0 || change === 0 || change === given) return 0;
  const fair = fairShare(deployment, revision);
  const left = change - given;
  return change > 0 ? Math.min(fair, left) : Math.max(fair, left);
}

function fairShare(deployment: Deployment, { replicas, annotations }: Revision): number {
  const desired = desiredOf(deployment);
  if (desired === 0) return -replicas;
  const maximum = desired + leewayOf(deployment).maxSurge;
  const before = countIn(annotations, maxReplicasAnnotation) || (deployment.status?.replicas ?? 0);
  return before === 0 ? 0 : Math.round((replicas * maximum) / before) - replicas;
}
