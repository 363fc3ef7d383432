import type { AccessAuthorizer } from "../../authorization/access.ts";
import type { ResourceTable } from "../../contracts.ts";
import type { PolicyMetrics } from "./policy-metrics.ts";

/** What the plugins of policies work with. */
export interface PolicyPluginOptions {
  readonly table: ResourceTable;
  readonly authorizer: AccessAuthorizer;
  readonly metrics: PolicyMetrics;
}
