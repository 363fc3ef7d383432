/** Sets of a Job's indexes, written as `1,3-5,7`: ascending, without gaps inside an interval. */

/** From and to, both included. */
export type IndexInterval = readonly [number, number];

/** What is wrong with such a text. */
export class IndexesError extends Error {
  override name = "IndexesError";
}

/** Reads a text of indexes below `completions`. Throws `IndexesError`. */
export function parseIndexes(text: string, completions: number): readonly IndexInterval[] {
  if (text === "") return [];
  const intervals: IndexInterval[] = [];
  for (const part of text.split(",")) {
    const interval = parseInterval(part, completions);
    const previous = intervals.at(-1)?.[1];
    if (previous !== undefined && previous >= interval[0]) throw notIncreasing(previous, interval[0]);
    intervals.push(interval);
  }
  return intervals;
}

/** How many indexes there are in all. */
export const countIndexes = (intervals: readonly IndexInterval[]): number =>
  intervals.reduce((sum, [first, last]) => sum + last - first + 1, 0);

function parseInterval(text: string, completions: number): IndexInterval {
  const limits = text.split("-");
  if (limits.length > 2) {
    const quoted = JSON.stringify(text);
    throw new IndexesError(
      `the fragment ${quoted} violates the requirement that an index interval can have at most two parts separated by '-'`,
    );
  }
  const [first = 0, last = first] = limits.map((limit) => parseIndex(limit, completions));
  if (limits.length === 2 && first >= last) throw notIncreasing(first, last);
  return [first, last];
}

function parseIndex(text: string, completions: number): number {
  const quoted = JSON.stringify(text);
  if (!/^\+?[0-9]+$/.test(text)) throw new IndexesError(`cannot convert string to integer for index: ${quoted}`);
  if (Number(text) >= completions) throw new IndexesError(`too large index: ${quoted}`);
  return Number(text);
}

const notIncreasing = (previous: number, current: number): IndexesError =>
  new IndexesError(`non-increasing order, previous: ${previous}, current: ${current}`);

/** The first index that is in both; what cannot be read is in neither. */
export function overlap(one: string, other: string, completions: number): number | undefined {
  const left = readable(one, completions);
  const right = readable(other, completions);
  for (const [first, last] of left) {
    const met = right.find(([from, to]) => first <= to && from <= last);
    if (met !== undefined) return Math.max(first, met[0]);
  }
  return undefined;
}

function readable(text: string, completions: number): readonly IndexInterval[] {
  return text.split(",").flatMap((part) => {
    try {
      return part === "" ? [] : [parseInterval(part, completions)];
    } catch {
      return [];
    }
  });
}
