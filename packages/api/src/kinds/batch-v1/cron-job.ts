import { defineResource } from "../../define-resource.ts";
import type { CronJob } from "../../generated/types/batch-v1.ts";
import type { Column } from "../../resource-definition.ts";
import { age } from "../columns.ts";
import { defaultPodTemplate } from "../core-v1/pod-defaults.ts";
import { since } from "../human-duration.ts";
import { selectorColumn, templateColumns } from "../workload-columns.ts";
import { workloadWarnings } from "../workload-warnings.ts";
import { checkCronJob } from "./cron-job-validation.ts";
import { defaultPodFailurePolicy } from "./job.ts";

const columns: readonly Column<CronJob>[] = [
  { title: "Schedule", value: ({ spec }) => spec.schedule },
  { title: "Timezone", value: ({ spec }) => spec.timeZone ?? "<none>" },
  {
    title: "Suspend",
    type: "boolean",
    value: ({ spec }) => (spec.suspend === undefined ? "<unset>" : spec.suspend ? "True" : "False"),
  },
  { title: "Active", type: "integer", value: ({ status }) => status?.active?.length ?? 0 },
  {
    title: "Last Schedule",
    value: ({ status }, { nowMs }) => (status?.lastScheduleTime ? since(status.lastScheduleTime, nowMs) : "<none>"),
  },
  age,
  ...templateColumns<CronJob>(({ spec }) => spec.jobTemplate.spec?.template),
  selectorColumn<CronJob>("A label query over pods.", ({ spec }) => spec.jobTemplate.spec?.selector),
];

/** `cronjobs.batch`. */
export const CronJobs = defineResource<CronJob>({
  group: "batch",
  version: "v1",
  kind: "CronJob",
  plural: "cronjobs",
  columns,
  // What jobs have by default they get when they are made.
  defaults(cronJob) {
    if (!cronJob.spec) Reflect.set(cronJob, "spec", {});
    const { spec } = cronJob;
    spec.concurrencyPolicy ||= "Allow";
    spec.suspend ??= false;
    spec.successfulJobsHistoryLimit ??= 3;
    spec.failedJobsHistoryLimit ??= 1;
    spec.jobTemplate ??= {};
    spec.jobTemplate.metadata ??= {};
    if (!spec.jobTemplate.spec) Reflect.set(spec.jobTemplate, "spec", {});
    const job = spec.jobTemplate.spec;
    if (job === undefined) return;
    job.template ??= {};
    defaultPodTemplate(job.template);
    defaultPodFailurePolicy(job);
  },
  warnings: workloadWarnings<CronJob>("spec.jobTemplate.spec.template", ({ spec }) => spec.jobTemplate?.spec?.template),
  validate: (cronJob, old) => [...checkCronJob(cronJob, old)],
});
