import { durationBuckets, type ProbeCount } from "../probes/probe-counts.ts";
import { family, type Sample, sampleLine } from "./metric-text.ts";

const kindName = { startup: "Startup", liveness: "Liveness", readiness: "Readiness" } as const;
const duration = "prober_probe_duration_seconds";

/** The text of `/metrics/probes`. */
export function proberMetrics(counts: readonly ProbeCount[]): string {
  const totals = counts.flatMap(({ kind, container, namespace, pod, podUid, results }): Sample[] =>
    Object.entries(results).flatMap(([result, value]) =>
      value === 0
        ? []
        : [{ labels: { container, namespace, pod, pod_uid: podUid, probe_type: kindName[kind], result }, value }],
    ),
  );
  const help = "[BETA] Cumulative number of a liveness, readiness or startup probe for a container by result.";
  return family("prober_probe_total", "counter", help, totals) + durations(counts);
}

function durations(counts: readonly ProbeCount[]): string {
  if (counts.length === 0) return "";
  const lines = counts.flatMap(({ kind, container, namespace, pod, results, buckets, seconds }) => {
    const labels = { container, namespace, pod, probe_type: kindName[kind] };
    const count = results.successful + results.failed + results.unknown;
    const upTo = (le: string, value: number) => sampleLine(`${duration}_bucket`, { labels: { ...labels, le }, value });
    return [
      ...durationBuckets.map((end, at) => upTo(String(end), buckets[at] ?? 0)),
      upTo("+Inf", count),
      sampleLine(`${duration}_sum`, { labels, value: seconds }),
      sampleLine(`${duration}_count`, { labels, value: count }),
    ];
  });
  return `# HELP ${duration} [ALPHA] Duration in seconds for a probe response.\n# TYPE ${duration} histogram\n${lines.join("")}`;
}
