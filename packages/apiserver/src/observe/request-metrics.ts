/** What a request was, in the words that `/metrics` has labels for. */
export interface RequestLabels {
  /** `GET`, `LIST`, `WATCH`, `POST`, `PUT`, `PATCH`, `DELETE`, `CONNECT`. */
  readonly verb: string;
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly subresource: string;
  readonly scope: "cluster" | "namespace" | "resource" | "";
  /** For requests that change nothing. */
  readonly dryRun?: "All";
}

interface Series {
  readonly labels: RequestLabels;
  readonly codes: Map<number, number>;
  readonly buckets: number[];
  sumSeconds: number;
  count: number;
  running: number;
  readonly sizes: number[];
  sumBytes: number;
}

/** Upper bounds of the histogram of answers' sizes, in bytes. */
export const sizeBounds = [1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9] as const;

/** Upper bounds of the latency histogram, in seconds. */
export const latencyBounds = [
  0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60,
] as const;

/** Counts requests. One look-up a request; text is made only when `/metrics` is read. */
export class RequestMetrics {
  readonly #series = new Map<string, Series>();
  #mutating = 0;
  #readOnly = 0;

  /**
   * A request begins. Call what it gives once, when the answer is out, with its status code, duration and length.
   */
  begin(labels: RequestLabels): (code: number, seconds: number, bytes?: number) => void {
    const series = this.#find(labels);
    const watch = labels.verb === "WATCH" || labels.verb === "CONNECT";
    const mutating = labels.verb !== "GET" && labels.verb !== "LIST";
    series.running++;
    if (!watch) this.#count(mutating, 1);
    return (code, seconds, bytes = 0) => {
      series.running--;
      if (!watch) this.#count(mutating, -1);
      series.codes.set(code, (series.codes.get(code) ?? 0) + 1);
      if (watch) return;
      const bucket = latencyBounds.findIndex((bound) => seconds <= bound);
      const at = bucket === -1 ? latencyBounds.length : bucket;
      series.buckets[at] = (series.buckets[at] ?? 0) + 1;
      series.sumSeconds += seconds;
      let size = 0;
      while (size < sizeBounds.length && bytes > (sizeBounds[size] ?? 0)) size++;
      series.sizes[size] = (series.sizes[size] ?? 0) + 1;
      series.sumBytes += bytes;
      series.count++;
    };
  }

  /** Requests that are being answered, watches and connections aside. */
  get inflight(): { readonly mutating: number; readonly readOnly: number } {
    return { mutating: this.#mutating, readOnly: this.#readOnly };
  }

  /** All that was counted. `buckets[i]` counts what took no longer than bound `i` and longer than the one before. */
  series(): Iterable<Readonly<Series>> {
    return this.#series.values();
  }

  #count(mutating: boolean, change: number): void {
    if (mutating) this.#mutating += change;
    else this.#readOnly += change;
  }

  #find(labels: RequestLabels): Series {
    const { verb, group, version, resource, subresource, scope, dryRun } = labels;
    const key = `${verb} ${group}/${version}/${resource}/${subresource} ${scope}${dryRun ?? ""}`;
    const known = this.#series.get(key);
    if (known !== undefined) return known;
    const buckets = Array.from({ length: latencyBounds.length + 1 }, () => 0);
    const sizes = Array.from({ length: sizeBounds.length + 1 }, () => 0);
    const counts = { sumSeconds: 0, count: 0, running: 0, sumBytes: 0 };
    const made: Series = { labels, codes: new Map(), buckets, sizes, ...counts };
    this.#series.set(key, made);
    return made;
  }
}
