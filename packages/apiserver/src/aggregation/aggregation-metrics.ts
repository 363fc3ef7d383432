import { head, line } from "../observe/metrics-text.ts";
import type { Aggregation } from "./aggregation.ts";

/** Which aggregated servers do not answer. */
export function aggregationMetrics(aggregation: Aggregation): string {
  const name = "aggregator_unavailable_apiservice";
  const lines = [...aggregation.services().values()].map(({ service, available }) =>
    line(name, { name: service.metadata.name }, available ? 0 : 1),
  );
  return head(name, "gauge", "Whether the server behind an APIService is away.") + lines.join("");
}
