import { head, line } from "./metrics-text.ts";

type Labels = Readonly<Record<string, string | number>>;

/** Counts of one metric by their labels. */
export type Counters = Map<string, { readonly labels: Labels; count: number }>;

/** Counts one more. */
export function count(series: Counters, labels: Labels): void {
  const key = Object.values(labels).join(" ");
  const known = series.get(key);
  if (known === undefined) series.set(key, { labels, count: 1 });
  else known.count++;
}

/** In the text format of Prometheus; nothing where nothing was counted. */
export function countersText(name: string, help: string, series: Counters): string {
  if (series.size === 0) return "";
  return [
    head(name, "counter", help),
    ...[...series.values()].map(({ labels, count: times }) => line(name, labels, times)),
  ].join("");
}
