import { latencyBounds, type RequestLabels, type RequestMetrics, sizeBounds } from "./request-metrics.ts";

/** Everything that `/metrics` shows beside requests. */
export interface MetricsSources {
  readonly requests: RequestMetrics;
  /** Newest revision of the store. */
  readonly revision: () => number;
  /** Epoch milliseconds at which the process started. */
  readonly startedMs: number;
  readonly gitVersion: string;
  /** What else there is to show, in the same format. */
  readonly others: readonly { text(): string }[];
}

type Labels = Readonly<Record<string, string | number>>;

const escaped = (value: string | number): string =>
  String(value).replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"');

/** One sample. */
export function line(name: string, labels: Labels, value: number): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`);
  return `${name}${pairs.length === 0 ? "" : `{${pairs.join(",")}}`} ${value}\n`;
}

/** What stands before the samples of a name. */
export const head = (name: string, type: string, help: string): string =>
  `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;

const shared = ({ group, resource, subresource, scope, version, verb }: RequestLabels) => ({
  component: "apiserver",
  group,
  resource,
  scope,
  subresource,
  verb,
  version,
});

/** The lines of one histogram. `counts[i]`: how many were at most bound `i` and more than the one before. */
export function histogram(
  name: string,
  labels: Labels,
  of: { readonly bounds: readonly number[]; readonly counts: readonly number[]; readonly sum: number },
): string {
  let text = "";
  let soFar = 0;
  of.counts.forEach((times, at) => {
    soFar += times;
    text += line(`${name}_bucket`, { ...labels, le: of.bounds[at] ?? "+Inf" }, soFar);
  });
  return text + line(`${name}_sum`, labels, of.sum) + line(`${name}_count`, labels, soFar);
}

const isLong = ({ verb }: RequestLabels): boolean => verb === "WATCH" || verb === "CONNECT";

function requestLines(requests: RequestMetrics): string {
  const all = [...requests.series()];
  const short = all.filter(({ labels }) => !isLong(labels));
  const dry = ({ dryRun }: RequestLabels) => ({ dry_run: dryRun ?? "" });
  const totals = all.flatMap(({ labels, codes }) =>
    [...codes].map(([code, times]) =>
      line("apiserver_request_total", { code, ...dry(labels), ...shared(labels) }, times),
    ),
  );
  const durations = short.map(({ labels, buckets, sumSeconds }) =>
    histogram(
      "apiserver_request_duration_seconds",
      { ...dry(labels), ...shared(labels) },
      { bounds: latencyBounds, counts: buckets, sum: sumSeconds },
    ),
  );
  // Nothing that a client waits for lies outside the server's own time here: both histograms show the same.
  const promised = durations.map((text) => text.replaceAll("request_duration", "request_sli_duration"));
  const sizes = short.map((series) =>
    histogram("apiserver_response_sizes", shared(series.labels), {
      bounds: sizeBounds,
      counts: series.sizes,
      sum: series.sumBytes,
    }),
  );
  const running = all.filter(({ labels }) => isLong(labels));
  const { mutating, readOnly } = requests.inflight;
  return [
    head("apiserver_current_inflight_requests", "gauge", "Requests that are being answered, by kind."),
    line("apiserver_current_inflight_requests", { request_kind: "mutating" }, mutating),
    line("apiserver_current_inflight_requests", { request_kind: "readOnly" }, readOnly),
    head("apiserver_longrunning_requests", "gauge", "Watches and connections that are open."),
    ...running.map(({ labels, running }) => line("apiserver_longrunning_requests", shared(labels), running)),
    head("apiserver_request_duration_seconds", "histogram", "Time that requests took, watches and connections aside."),
    ...durations,
    head("apiserver_request_sli_duration_seconds", "histogram", "Time that requests took in the server itself."),
    ...promised,
    head("apiserver_request_total", "counter", "Requests that were answered."),
    ...totals,
    head("apiserver_response_sizes", "histogram", "Bytes of answers, watches and connections aside."),
    ...sizes,
  ].join("");
}

function processLines({ startedMs, revision, gitVersion }: MetricsSources): string {
  const { rss, heapUsed, heapTotal } = process.memoryUsage();
  const { user, system } = process.cpuUsage();
  const gauges: readonly (readonly [name: string, help: string, value: number])[] = [
    ["process_resident_memory_bytes", "Resident memory.", rss],
    ["process_start_time_seconds", "When the process started, since 1970.", startedMs / 1000],
    ["nodejs_heap_size_used_bytes", "Heap in use.", heapUsed],
    ["nodejs_heap_size_total_bytes", "Heap.", heapTotal],
    ["skiff_store_revision", "Newest revision of the store.", revision()],
  ];
  return [
    head("process_cpu_seconds_total", "counter", "Processor time spent."),
    line("process_cpu_seconds_total", {}, (user + system) / 1e6),
    ...gauges.map(([name, help, value]) => head(name, "gauge", help) + line(name, {}, value)),
    head("kubernetes_build_info", "gauge", "Always 1; the labels tell the version."),
    line("kubernetes_build_info", { git_version: gitVersion, major: 1, minor: 36 }, 1),
  ].join("");
}

/** The page of `/metrics` in the text format of Prometheus. */
export const metricsText = (sources: MetricsSources): string =>
  requestLines(sources.requests) + sources.others.map((other) => other.text()).join("") + processLines(sources);
