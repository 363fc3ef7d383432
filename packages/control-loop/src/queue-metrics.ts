/** Durations by size. */
export interface DurationCounts {
  /** How many were at most bound `i` and more than the one before; the last: more than every bound. */
  readonly counts: readonly number[];
  readonly sumSeconds: number;
}

/** What a queue has to tell of itself. https://kubernetes.io/docs/reference/instrumentation/metrics/ */
export interface QueueStats {
  readonly adds: number;
  readonly retries: number;
  /** How long keys waited for their work, and how long that took. */
  readonly waited: DurationCounts;
  readonly worked: DurationCounts;
  /** How long all work that goes on has taken so far, and the longest of it. */
  readonly unfinishedSeconds: number;
  readonly longestSeconds: number;
}

/** In seconds, as Kubernetes has them: ten nanoseconds to a quarter of an hour. */
export const durationBounds: readonly number[] = [1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1, 10, 100, 1000];

/** Counts durations. */
export class Durations implements DurationCounts {
  readonly counts: number[] = Array.from({ length: durationBounds.length + 1 }, () => 0);
  sumSeconds = 0;

  add(ms: number): void {
    const seconds = ms / 1000;
    this.sumSeconds += seconds;
    let at = 0;
    while (seconds > (durationBounds[at] ?? Number.POSITIVE_INFINITY)) at++;
    this.counts[at] = (this.counts[at] ?? 0) + 1;
  }
}
