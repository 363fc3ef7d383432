import type { ProbeKind } from "./pod-probes.ts";
import type { ProbeResult } from "./probe-result.ts";

/** Whose probe it is. */
export interface ProbedContainer {
  readonly kind: ProbeKind;
  readonly container: string;
  readonly namespace: string;
  readonly pod: string;
  readonly podUid: string;
}

/** How often a probe of a container came to each result, and how long it took. */
export interface ProbeCount extends ProbedContainer {
  readonly results: Readonly<Record<"successful" | "failed" | "unknown", number>>;
  /** How many took at most so many seconds, for each of `durationBuckets`. */
  readonly buckets: readonly number[];
  readonly seconds: number;
}

/** Upper ends in seconds. */
export const durationBuckets: readonly number[] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

const resultOf = { success: "successful", failure: "failed", errored: "unknown" } as const;

/** Counts what probes came to, for `/metrics/probes`; forgotten with their container's last probe. */
export class ProbeCounts {
  readonly #counts = new Map<string, ProbeCount>();

  count(of: ProbedContainer, result: ProbeResult["kind"], seconds: number): void {
    const key = keyOf(of);
    const before = this.#counts.get(key);
    const results = before?.results ?? { successful: 0, failed: 0, unknown: 0 };
    const name = resultOf[result];
    this.#counts.set(key, {
      ...of,
      results: { ...results, [name]: results[name] + 1 },
      buckets: durationBuckets.map((end, at) => (before?.buckets[at] ?? 0) + (seconds <= end ? 1 : 0)),
      seconds: (before?.seconds ?? 0) + seconds,
    });
  }

  /** Forgets all of a pod that is gone. */
  forget(podUid: string): void {
    for (const [key, one] of this.#counts) if (one.podUid === podUid) this.#counts.delete(key);
  }

  list(): readonly ProbeCount[] {
    return [...this.#counts.values()];
  }
}

const keyOf = ({ kind, container, podUid }: ProbedContainer): string => `${podUid} ${container} ${kind}`;
