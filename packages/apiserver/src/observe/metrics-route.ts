import type { PathRoute } from "../standard-parts-options.ts";
import { type MetricsSources, metricsText } from "./metrics-text.ts";

/** `/metrics`. */
export const metricsRoute = (sources: MetricsSources): PathRoute => ({
  path: "/metrics",
  match: "exact",
  handle: async (exchange) =>
    exchange.respond({
      status: 200,
      contentType: "text/plain; version=0.0.4; charset=utf-8",
      body: metricsText(sources),
    }),
});
