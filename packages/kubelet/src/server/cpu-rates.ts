interface Reading {
  readonly atMs: number;
  readonly cpuNanos: number;
}

/** Readings that are nearer together than this say nothing about a rate. */
const leastMs = 1000;
/** Whoever was not asked about for so long is gone. */
const forgetMs = 600_000;

/** How many thousand-millionths of a core something uses, from two readings of its counter. */
export class CpuRates {
  readonly #known = new Map<string, { readonly older: Reading; readonly newer: Reading }>();

  /** `undefined` until there are two readings far enough from each other. */
  nanoCores(id: string, reading: Reading): number | undefined {
    for (const [key, { newer }] of this.#known) if (newer.atMs < reading.atMs - forgetMs) this.#known.delete(key);
    const known = this.#known.get(id);
    // A counter that went back is another one's: the container was made anew.
    if (known === undefined || reading.cpuNanos < known.newer.cpuNanos) {
      this.#known.set(id, { older: reading, newer: reading });
      return undefined;
    }
    const { older, newer } =
      reading.atMs - known.newer.atMs >= leastMs ? { older: known.newer, newer: reading } : known;
    this.#known.set(id, { older, newer });
    const tookMs = newer.atMs - older.atMs;
    return tookMs < leastMs ? undefined : Math.round(((newer.cpuNanos - older.cpuNanos) * 1000) / tookMs);
  }
}
