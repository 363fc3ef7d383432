import { defineResource } from "../../define-resource.ts";
import type { CronJob } from "../../generated/types/batch-v1.ts";

/** `cronjobs.batch`. */
export const CronJobs = defineResource<CronJob>({
  group: "batch",
  version: "v1",
  kind: "CronJob",
  plural: "cronjobs",
});
