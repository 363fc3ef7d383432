/** One figure of a benchmark. */
export interface BenchRow {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  /** Below this the figure is a failure; `undefined` where it is only for information. */
  readonly floor: number | undefined;
  /** Above this the figure is a failure. */
  readonly ceiling?: number | undefined;
  /** Spread, circumstances. */
  readonly detail: string;
}

/** The middle of some values. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** `12 to 18, 20 runs`. */
export function spread(values: readonly number[], digits: number): string {
  const low = Math.min(...values).toFixed(digits);
  const high = Math.max(...values).toFixed(digits);
  return `${low} to ${high}, ${values.length} runs`;
}
