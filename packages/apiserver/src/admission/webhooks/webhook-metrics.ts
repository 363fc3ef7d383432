import { type Counters, count, countersText } from "../../observe/counters.ts";
import { head, line } from "../../observe/metrics-text.ts";

/** Upper bounds of the latency histogram, in seconds. */
const bounds = [0.005, 0.025, 0.1, 0.5, 1, 2.5, 10, 25] as const;

/** One call of a webhook. `error` names what sort of failure refused the request; `no_error` is the webhook's own refusal. */
export interface WebhookObservation {
  readonly name: string;
  readonly type: "admit" | "validating";
  readonly operation: string;
  readonly rejected: boolean;
  readonly code: number;
  readonly seconds: number;
  readonly error?: string;
}

type Labels = Readonly<Record<string, string | number>>;

interface Histogram {
  readonly labels: Labels;
  readonly buckets: number[];
  sum: number;
  count: number;
}

/** Counts calls of webhooks under the names that Kubernetes gives them. */
export class WebhookMetrics {
  readonly #durations = new Map<string, Histogram>();
  readonly #requests: Counters = new Map();
  readonly #rejections: Counters = new Map();
  readonly #open: Counters = new Map();
  readonly #excluded: Counters = new Map();
  readonly #conditionErrors: Counters = new Map();

  observe({ name, type, operation, rejected, code: given, seconds, error }: WebhookObservation): void {
    const code = Math.min(given, 600);
    this.#time({ name, operation, rejected: String(rejected), type }, seconds);
    if (code !== 0 || error === undefined) {
      count(this.#requests, { code, name, operation, rejected: String(rejected), type });
    }
    if (error !== undefined)
      count(this.#rejections, { error_type: error, name, operation, rejection_code: code, type });
  }

  /** A webhook failed, and its policy is to pass that over. */
  failedOpen(name: string, type: WebhookObservation["type"]): void {
    count(this.#open, { name, type });
  }

  /** Match conditions kept a webhook from being called. */
  excluded(name: string, type: WebhookObservation["type"], operation: string): void {
    count(this.#excluded, { kind: "webhook", name, operation, type });
  }

  /** Match conditions could not be evaluated. */
  conditionError(name: string, type: WebhookObservation["type"], operation: string): void {
    count(this.#conditionErrors, { kind: "webhook", name, operation, type });
  }

  /** In the text format of Prometheus; nothing where no webhook was called. */
  text(): string {
    return [
      this.#durationText(),
      countersText("apiserver_admission_webhook_request_total", "Calls of admission webhooks.", this.#requests),
      countersText("apiserver_admission_webhook_rejection_count", "Refusals by admission webhooks.", this.#rejections),
      countersText("apiserver_admission_webhook_fail_open_count", "Failures that were passed over.", this.#open),
      countersText(
        "apiserver_admission_match_condition_exclusions_total",
        "Calls spared by conditions.",
        this.#excluded,
      ),
      countersText(
        "apiserver_admission_match_condition_evaluation_errors_total",
        "Conditions that could not be evaluated.",
        this.#conditionErrors,
      ),
    ].join("");
  }

  #time(labels: Labels, seconds: number): void {
    const key = Object.values(labels).join(" ");
    let known = this.#durations.get(key);
    if (known === undefined) {
      known = { labels, buckets: Array.from({ length: bounds.length + 1 }, () => 0), sum: 0, count: 0 };
      this.#durations.set(key, known);
    }
    const found = bounds.findIndex((bound) => seconds <= bound);
    const at = found === -1 ? bounds.length : found;
    known.buckets[at] = (known.buckets[at] ?? 0) + 1;
    known.sum += seconds;
    known.count++;
  }

  #durationText(): string {
    if (this.#durations.size === 0) return "";
    const name = "apiserver_admission_webhook_admission_duration_seconds";
    let text = head(name, "histogram", "Time that calls of admission webhooks took.");
    for (const { labels, buckets, sum, count: times } of this.#durations.values()) {
      let total = 0;
      for (const [index, bucket] of buckets.entries()) {
        total += bucket;
        text += line(`${name}_bucket`, { ...labels, le: bounds[index] ?? "+Inf" }, total);
      }
      text += line(`${name}_sum`, labels, sum) + line(`${name}_count`, labels, times);
    }
    return text;
  }
}
