import type { Clock } from "@skiff/base";
import type { AdmissionRequest } from "../contracts.ts";
import { head, line } from "./metrics-text.ts";

/** What of admission is timed: all plugins that may change an object, all that may only refuse it. */
export type AdmissionStep = "admit" | "validate";

const bounds = [0.005, 0.025, 0.1, 0.5, 1, 2.5] as const;
const name = "apiserver_admission_step_admission_duration_seconds";

interface Series {
  readonly labels: Readonly<Record<string, string>>;
  readonly buckets: number[];
  sumSeconds: number;
}

/** Times the steps of admission. */
export class AdmissionSteps {
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #series = new Map<string, Series>();

  constructor(clock: Pick<Clock, "monotonic">) {
    this.#clock = clock;
  }

  /** Runs a step; gives and throws what it does. */
  time(
    type: AdmissionStep,
    operation: AdmissionRequest["operation"],
    step: () => Promise<void> | undefined,
  ): Promise<void> | undefined {
    const begunMs = this.#clock.monotonic();
    const note = (rejected: boolean) =>
      this.#note({ operation, rejected: String(rejected), type }, (this.#clock.monotonic() - begunMs) / 1000);
    const refused = (error: unknown): never => {
      note(true);
      throw error;
    };
    try {
      const pending = step();
      if (pending !== undefined) return pending.then(() => note(false), refused);
    } catch (error) {
      return refused(error);
    }
    note(false);
    return undefined;
  }

  /** Its part of `/metrics`. */
  text(): string {
    const lines = [...this.#series.values()].map(({ labels, buckets, sumSeconds }) => {
      let soFar = 0;
      const counts = buckets.map((times, at) => {
        soFar += times;
        return line(`${name}_bucket`, { ...labels, le: bounds[at] ?? "+Inf" }, soFar);
      });
      return counts.join("") + line(`${name}_sum`, labels, sumSeconds) + line(`${name}_count`, labels, soFar);
    });
    return head(name, "histogram", "Time that the steps of admission took.") + lines.join("");
  }

  #note(labels: Series["labels"], seconds: number): void {
    const key = `${labels.type} ${labels.operation} ${labels.rejected}`;
    let series = this.#series.get(key);
    if (series === undefined) {
      series = { labels, buckets: Array.from({ length: bounds.length + 1 }, () => 0), sumSeconds: 0 };
      this.#series.set(key, series);
    }
    let at = 0;
    while (at < bounds.length && seconds > (bounds[at] ?? 0)) at++;
    series.buckets[at] = (series.buckets[at] ?? 0) + 1;
    series.sumSeconds += seconds;
  }
}
