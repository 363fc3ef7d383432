import { isNarrower, type NumaHint, type NumaHints, type NumaSet, numaCount, numaSet } from "./numa.ts";

/** A place for everything that a container gets. */
export interface MergedHint {
  readonly nodes: NumaSet;
  readonly preferred: boolean;
}

/** Which of two places is the better one, where both are as much preferred. */
export type Better = (a: NumaSet, b: NumaSet) => NumaSet;

/** The one of fewer nodes. */
export const narrowest: Better = (a, b) => (isNarrower(a, b) ? a : b);

/** The one of fewer nodes; of two with as many, the one whose nodes are nearer to each other. `distances[a][b]` is from a to b. */
export const closest =
  (distances: readonly (readonly number[])[]): Better =>
  (a, b) => {
    if (numaCount(a) !== numaCount(b)) return narrowest(a, b);
    const [left, right] = [averageDistance(distances, a), averageDistance(distances, b)];
    return left === right ? (a < b ? a : b) : left < right ? a : b;
  };

function averageDistance(distances: readonly (readonly number[])[], set: NumaSet): number {
  const members = distances.map((_, node) => node).filter((node) => (set & (1 << node)) !== 0);
  const all = members.flatMap((from) => members.map((to) => distances[from]?.[to] ?? 0));
  return all.reduce((sum, one) => sum + one, 0) / Math.max(1, all.length);
}

const anywhere: readonly NumaHint[] = [{ preferred: true }];
const nowhere: readonly NumaHint[] = [{ preferred: false }];

/** One list for each resource of each provider; one that has nothing to say takes anything. */
export const listsOf = (providers: readonly NumaHints[]): readonly (readonly NumaHint[])[] =>
  providers.flatMap((hints) =>
    hints.size === 0
      ? [anywhere]
      : [...hints.values()].map((list) => (list === undefined ? anywhere : list.length === 0 ? nowhere : list)),
  );

/**
 * Takes one hint of each list, in all ways, and finds the best place that they share. Preferred is a place only where
 * all hints prefer the very same one.
 */
export function mergeHints(
  nodes: readonly number[],
  lists: readonly (readonly NumaHint[])[],
  better: Better,
): MergedHint {
  const whole = numaSet(nodes);
  // How many nodes the resource that needs most of them needs at least: nobody can do with fewer.
  const needed = lists.reduce((most, list) => {
    const counts = list.flatMap((hint) => (hint.nodes === undefined ? [] : [numaCount(hint.nodes)]));
    return Math.max(most, counts.length === 0 ? 0 : Math.min(...counts));
  }, 0);
  let best: MergedHint | undefined;
  const visit = (at: number, nodesSoFar: NumaSet, first: NumaSet | undefined, preferred: boolean): void => {
    const list = lists[at];
    if (list === undefined) {
      if (nodesSoFar !== 0) best = betterOf(best, { nodes: nodesSoFar, preferred }, { needed, better });
      return;
    }
    for (const hint of list) {
      const same = hint.nodes === undefined || first === undefined || hint.nodes === first;
      const set = hint.nodes ?? whole;
      visit(at + 1, nodesSoFar & set, first ?? hint.nodes, preferred && hint.preferred && same);
    }
  };
  visit(0, whole, undefined, true);
  return best ?? { nodes: whole, preferred: false };
}

function betterOf(
  current: MergedHint | undefined,
  candidate: MergedHint,
  { needed, better }: { readonly needed: number; readonly better: Better },
): MergedHint {
  if (current === undefined) return candidate;
  if (current.preferred !== candidate.preferred) return current.preferred ? current : candidate;
  const choose = () =>
    candidate.nodes === current.nodes || better(current.nodes, candidate.nodes) === current.nodes ? current : candidate;
  if (current.preferred) return choose();
  // Neither is preferred: as near as can be to what is needed, but not beyond.
  const [now, next] = [numaCount(current.nodes), numaCount(candidate.nodes)];
  if (now > needed) return choose();
  if (now === needed) return next === needed ? choose() : current;
  if (next > needed) return current;
  if (next === now) return choose();
  return next > now ? candidate : current;
}
