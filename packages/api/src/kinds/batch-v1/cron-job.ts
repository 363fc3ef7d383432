import { defineResource } from "../../define-resource.ts";
import type { CronJob } from "../../generated/types/batch-v1.ts";
import type { Column } from "../../resource-definition.ts";
import { dnsSubdomainName } from "../../validation/names.ts";
import { age } from "../columns.ts";
import { since } from "../human-duration.ts";
import { selectorColumn, templateColumns } from "../workload-columns.ts";
import { defaultJobSpec } from "./job.ts";

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
  validateName(name, prefix) {
    const long = name.length > 52 ? ["must be no more than 52 characters"] : [];
    return [...dnsSubdomainName(name, prefix), ...long];
  },
  defaults({ spec }) {
    if (!spec) return;
    spec.concurrencyPolicy ||= "Allow";
    spec.suspend ??= false;
    spec.successfulJobsHistoryLimit ??= 3;
    spec.failedJobsHistoryLimit ??= 1;
    spec.jobTemplate ??= {};
    spec.jobTemplate.metadata ??= {};
    if (spec.jobTemplate.spec) defaultJobSpec(spec.jobTemplate.spec);
  },
});
