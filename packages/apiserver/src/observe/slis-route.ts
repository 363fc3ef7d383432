import type { PathRoute } from "../standard-parts-options.ts";
import { type Endpoint, type HealthCheck, healthSamples } from "./health.ts";
import { head, line } from "./metrics-text.ts";

/** `/metrics/slis`: how the health checks come out, and how they came out whenever they were asked for here. */
export function slisRoute(checks: Readonly<Record<Endpoint, readonly HealthCheck[]>>): PathRoute {
  const counts = new Map<string, { readonly labels: Readonly<Record<string, string>>; times: number }>();
  return {
    path: "/metrics/slis",
    match: "exact",
    async handle(exchange) {
      const samples = await healthSamples(checks);
      for (const { name, type, passes } of samples) {
        const labels = { name, status: passes ? "success" : "error", type };
        const key = JSON.stringify(labels);
        const count = counts.get(key) ?? { labels, times: 0 };
        count.times++;
        counts.set(key, count);
      }
      const body = [
        head("kubernetes_healthcheck", "gauge", "Whether a health check passes."),
        ...samples.map(({ name, type, passes }) => line("kubernetes_healthcheck", { name, type }, passes ? 1 : 0)),
        head("kubernetes_healthchecks_total", "counter", "Outcomes of health checks."),
        ...[...counts.values()].map(({ labels, times }) => line("kubernetes_healthchecks_total", labels, times)),
      ].join("");
      exchange.respond({ status: 200, contentType: "text/plain; version=0.0.4; charset=utf-8", body });
    },
  };
}
