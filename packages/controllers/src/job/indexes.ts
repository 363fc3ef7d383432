import { IndexesError, type Pod, parseIndexes } from "@skiff/api";

export const indexKey = "batch.kubernetes.io/job-completion-index";

/** The indexes of a text like `1,3-5`. None where it cannot be read: somebody has spoilt the status. */
export function readIndexes(text: string | undefined, completions: number): Set<number> {
  const indexes = new Set<number>();
  try {
    for (const [first, last] of parseIndexes(text ?? "", Number.MAX_SAFE_INTEGER)) {
      for (let index = first; index <= Math.min(last, completions - 1); index++) indexes.add(index);
    }
  } catch (error) {
    if (!(error instanceof IndexesError)) throw error;
  }
  return indexes;
}

/** `1,3-5`. */
export function writeIndexes(indexes: ReadonlySet<number>): string {
  const parts: [number, number][] = [];
  for (const index of [...indexes].sort((a, b) => a - b)) {
    const last = parts.at(-1);
    if (last !== undefined && last[1] === index - 1) last[1] = index;
    else parts.push([index, index]);
  }
  return parts
    .map(([first, last]) => `${first}${last === first ? "" : last === first + 1 ? `,${last}` : `-${last}`}`)
    .join(",");
}

/** The index that a pod works on; `undefined` for pods without one. */
export function indexOf({ metadata }: Pod): number | undefined {
  const text = metadata.annotations?.[indexKey];
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}
