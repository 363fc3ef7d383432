import { head, histogram, line } from "./metrics-text.ts";

/** How a control loop's queue is doing. */
export interface NamedQueue {
  readonly name: string;
  /** Keys that are ready to be worked on. */
  readonly queued: number;
  readonly queue: {
    readonly adds: number;
    readonly retries: number;
    readonly waited: QueueDurations;
    readonly worked: QueueDurations;
    readonly unfinishedSeconds: number;
    readonly longestSeconds: number;
  };
}

interface QueueDurations {
  readonly counts: readonly number[];
  readonly sumSeconds: number;
}

/** Upper bounds of durations in seconds: those of `counts`. */
const bounds = [1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1, 10, 100, 1000];

/** The `workqueue_…` metrics, as controllers of Kubernetes have them; nothing where no loop runs. */
export function workQueueText(queues: readonly NamedQueue[]): string {
  if (queues.length === 0) return "";
  const each = (name: string, type: string, help: string, value: (one: NamedQueue) => number): string =>
    head(name, type, help) + queues.map((one) => line(name, { name: one.name }, value(one))).join("");
  const durations = (name: string, help: string, of: (one: NamedQueue) => QueueDurations): string =>
    head(name, "histogram", help) +
    queues
      .map((one) => {
        const { counts, sumSeconds } = of(one);
        return histogram(name, { name: one.name }, { bounds, counts, sum: sumSeconds });
      })
      .join("");
  return [
    each("workqueue_adds_total", "counter", "Keys that were added to a queue.", ({ queue }) => queue.adds),
    each("workqueue_depth", "gauge", "Keys that wait in a queue.", ({ queued }) => queued),
    each(
      "workqueue_longest_running_processor_seconds",
      "gauge",
      "How long the longest work that goes on has taken so far.",
      ({ queue }) => queue.longestSeconds,
    ),
    durations("workqueue_queue_duration_seconds", "How long keys wait for their work.", ({ queue }) => queue.waited),
    each("workqueue_retries_total", "counter", "Work that failed and is done again.", ({ queue }) => queue.retries),
    each(
      "workqueue_unfinished_work_seconds",
      "gauge",
      "How long all work that goes on has taken so far.",
      ({ queue }) => queue.unfinishedSeconds,
    ),
    durations("workqueue_work_duration_seconds", "How long work takes.", ({ queue }) => queue.worked),
  ].join("");
}
