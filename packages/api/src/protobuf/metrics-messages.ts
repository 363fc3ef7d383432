/**
 * The messages of `metrics.k8s.io`: no part of the published API, since another project keeps it. JSON shows a `window` as text
 * (`15s`), where a message holds nanoseconds: `metricsMessage` brings an object into that form.
 */
import { isJsonObject, type JsonObject, type JsonValue } from "@skiff/base";

const measured = "metadata 1 @meta.v1.ObjectMeta|timestamp 2 time!|window 3 @metrics.v1beta1.Duration";

export const metricsMessages: Readonly<Record<string, string>> = {
  "metrics.v1beta1.Duration": "duration 1 int64!",
  "metrics.v1beta1.ContainerMetrics": "name 1 string!|usage 2 {}quantity",
  "metrics.v1beta1.NodeMetrics": `${measured}|usage 4 {}quantity`,
  "metrics.v1beta1.NodeMetricsList": "metadata 1 @meta.v1.ListMeta|items 2 []@metrics.v1beta1.NodeMetrics",
  "metrics.v1beta1.PodMetrics": `${measured}|containers 4 []@metrics.v1beta1.ContainerMetrics`,
  "metrics.v1beta1.PodMetricsList": "metadata 1 @meta.v1.ListMeta|items 2 []@metrics.v1beta1.PodMetrics",
};

const unitSeconds: Readonly<Record<string, number>> = { h: 3600, m: 60, s: 1, ms: 1e-3, µs: 1e-6, us: 1e-6, ns: 1e-9 };

/** An object of the metrics API, or a list of them, as its message holds it. */
export function metricsMessage(object: JsonObject): JsonObject {
  const { items, window } = object;
  return {
    ...object,
    ...(typeof window === "string" ? { window: { duration: nanosecondsOf(window) } } : {}),
    ...(Array.isArray(items)
      ? { items: items.map((item): JsonValue => (isJsonObject(item) ? metricsMessage(item) : item)) }
      : {}),
  };
}

/** `1m15.044s` */
function nanosecondsOf(text: string): number {
  const parts = [...text.matchAll(/([\d.]+)(h|ms|m|s|µs|us|ns)/g)];
  const seconds = parts.reduce((sum, [, number, unit = ""]) => sum + Number(number) * (unitSeconds[unit] ?? 0), 0);
  return Math.round(seconds * 1e9);
}
