import { defineResource } from "../../define-resource.ts";
import type { Job } from "../../generated/types/batch-v1.ts";

/** `jobs.batch`. */
export const Jobs = defineResource<Job>({
  group: "batch",
  version: "v1",
  kind: "Job",
  plural: "jobs",
});
