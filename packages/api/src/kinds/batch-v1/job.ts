import { defineResource } from "../../define-resource.ts";
import type { Job, JobSpec } from "../../generated/types/batch-v1.ts";
import type { Column } from "../../resource-definition.ts";
import { age } from "../columns.ts";
import { defaultPodTemplate } from "../core-v1/pod-defaults.ts";
import { humanDuration } from "../human-duration.ts";
import { selectorColumn, templateColumns } from "../workload-columns.ts";
import { workloadWarnings } from "../workload-warnings.ts";
import { checkJobStatusUpdate } from "./job-status-validation.ts";
import { checkJob, checkJobUpdate, jobLabels } from "./job-validation.ts";

function statusText({ metadata, status }: Job): string {
  const holds = (type: string) => status?.conditions?.some((one) => one.type === type && one.status === "True");
  if (holds("Complete")) return "Complete";
  if (holds("Failed")) return "Failed";
  if (metadata.deletionTimestamp !== undefined) return "Terminating";
  return ["Suspended", "FailureTarget", "SuccessCriteriaMet"].find(holds) ?? "Running";
}

function completionsText({ spec, status }: Job): string {
  const succeeded = status?.succeeded ?? 0;
  if (spec.completions !== undefined) return `${succeeded}/${spec.completions}`;
  const parallelism = spec.parallelism ?? 0;
  return parallelism > 1 ? `${succeeded}/1 of ${parallelism}` : `${succeeded}/1`;
}

function durationText({ status }: Job, nowMs: number): string {
  if (!status?.startTime) return "";
  const endMs = status.completionTime ? Date.parse(status.completionTime) : nowMs;
  return humanDuration(endMs - Date.parse(status.startTime));
}

const columns: readonly Column<Job>[] = [
  { title: "Status", description: "Status of the job.", value: statusText },
  { title: "Completions", value: completionsText },
  {
    title: "Duration",
    description: "Time required to complete the job.",
    value: (job, { nowMs }) => durationText(job, nowMs),
  },
  age,
  ...templateColumns<Job>(({ spec }) => spec.template),
  selectorColumn<Job>("A label query over pods that should match the pod count.", ({ spec }) => spec.selector),
];

/** Fills in a policy about failed pods, also within a CronJob. */
export function defaultPodFailurePolicy({ podFailurePolicy }: Pick<JobSpec, "podFailurePolicy">): void {
  for (const { onPodConditions } of podFailurePolicy?.rules ?? []) {
    for (const pattern of onPodConditions ?? []) pattern.status ||= "True";
  }
}

function defaultSpec(spec: JobSpec): void {
  spec.template ??= {};
  defaultPodTemplate(spec.template);
  if (spec.completions === undefined && spec.parallelism === undefined) spec.completions = 1;
  spec.parallelism ??= 1;
  spec.backoffLimit ??= spec.backoffLimitPerIndex === undefined ? 6 : 2_147_483_647;
  spec.completionMode ??= "NonIndexed";
  spec.suspend ??= false;
  spec.podReplacementPolicy ??= spec.podFailurePolicy === undefined ? "TerminatingOrFailed" : "Failed";
  spec.manualSelector ??= false;
  defaultPodFailurePolicy(spec);
}

/** Ties the job's pods to it by its uid, unless the client selects by itself. What the client has set stays, to be judged. */
function generateSelector(job: Job): void {
  const { metadata, spec } = job;
  if (spec.manualSelector || !metadata.uid) return;
  const { name, uid } = metadata;
  spec.template.metadata ??= {};
  spec.template.metadata.labels = {
    [jobLabels.uid]: uid,
    [jobLabels.name]: name,
    [jobLabels.oldUid]: uid,
    [jobLabels.oldName]: name,
    ...spec.template.metadata.labels,
  };
  spec.selector = { ...spec.selector, matchLabels: { [jobLabels.uid]: uid, ...spec.selector?.matchLabels } };
  defaultLabels(job);
}

/** Kubernetes gives the template's labels to the job when it has none itself. */
function defaultLabels({ metadata, spec }: Job): void {
  const labels = spec.template.metadata?.labels;
  if (labels && Object.keys(metadata.labels ?? {}).length === 0) metadata.labels = { ...labels };
}

/** `jobs.batch`. */
export const Jobs = defineResource<Job>({
  group: "batch",
  version: "v1",
  kind: "Job",
  plural: "jobs",
  orphansByDefault: true,
  columns,
  selectableFields: [{ path: "status.successful", value: ({ status }) => String(status?.succeeded ?? 0) }],
  prepareCreate: generateSelector,
  defaults(job) {
    if (!job.spec) Reflect.set(job, "spec", {});
    defaultSpec(job.spec);
    defaultLabels(job);
  },
  warnings: workloadWarnings<Job>("spec.template", ({ spec }) => spec.template),
  validate: (job, old) => [...checkJob(job, old)],
  validateUpdate: (job, old) => [...checkJobUpdate(job, old)],
  validateStatusUpdate: (job, old) => [...checkJobStatusUpdate(job, old)],
});
