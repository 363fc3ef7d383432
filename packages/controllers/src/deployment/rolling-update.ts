import type { Deployment } from "@skiff/api";
import { sum } from "../counts.ts";
import { availableOf, byCreation, type Revision } from "./revision.ts";
import { desiredOf, isRollingUpdate, leewayOf } from "./strategy.ts";

/** A change of size; sets that are not named keep theirs. */
export type Sizes = ReadonlyMap<string, number>;

/** How large the current revision may be now: as large as the surge allows beside what still runs. */
export function nextSize(deployment: Deployment, current: Revision, all: readonly Revision[]): number {
  const desired = desiredOf(deployment);
  if (!isRollingUpdate(deployment) || current.replicas > desired) return desired;
  const limit = desired + leewayOf(deployment).maxSurge;
  const total = sum(all, ({ replicas }) => replicas);
  if (total >= limit) return current.replicas;
  return current.replicas + Math.min(limit - total, desired - current.replicas);
}

/** A set that was made smaller a moment ago still tells of pods that are about to go: they keep nothing up. */
const lastingOf = (revision: Revision): number => Math.min(availableOf(revision), revision.replicas);

/** Its status tells of a size that it no longer has, so perhaps of pods that have gone since. */
const isBehind = ({ set }: Revision): boolean =>
  set !== undefined && (set.status?.observedGeneration ?? 0) < (set.metadata.generation ?? 0);

/**
 * How small the old revisions may be now. Pods that do not serve anyway go first; then as many as available pods exceed the
 * minimum. What the current revision has not got available yet is held back, so that a bad revision cannot starve the old ones.
 * Where a set is made smaller and larger again at once, its word counts only once it has kept up.
 */
export function oldSizes(deployment: Deployment, current: Revision, old: readonly Revision[]): Sizes {
  const sizes = new Map<string, number>();
  const all = [...old, current];
  if (all.some(isBehind)) return sizes;
  const minimum = desiredOf(deployment) - leewayOf(deployment).maxUnavailable;
  const spare = sum(all, ({ replicas }) => replicas) - minimum - (current.replicas - lastingOf(current));
  if (spare <= 0 || sum(old, ({ replicas }) => replicas) === 0) return sizes;
  const oldest = [...old].sort(byCreation).filter(({ replicas }) => replicas > 0);
  takeUnavailable(oldest, spare, sizes);
  takeAvailable(oldest, sum(all, lastingOf) - minimum, sizes);
  return sizes;
}

function takeUnavailable(oldest: readonly Revision[], spare: number, sizes: Map<string, number>): void {
  let left = spare;
  for (const revision of oldest) {
    const taken = Math.min(left, revision.replicas - lastingOf(revision));
    if (taken <= 0) continue;
    left -= taken;
    sizes.set(revision.name, revision.replicas - taken);
  }
}

function takeAvailable(oldest: readonly Revision[], spare: number, sizes: Map<string, number>): void {
  let left = spare;
  for (const revision of oldest) {
    const size = sizes.get(revision.name) ?? revision.replicas;
    const taken = Math.min(left, size);
    if (taken <= 0) continue;
    left -= taken;
    sizes.set(revision.name, size - taken);
  }
}
