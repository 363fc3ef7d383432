/** The spec of a Job, also within a CronJob, where the selector is still to come. */
import { fieldError } from "../../field-error.ts";
import type { JobSpec } from "../../generated/types/batch-v1.ts";
import { checkNonNegative, type Findings } from "../../validation/checks.ts";
import { checkDomainPath } from "../../validation/domain-path.ts";
import { checkPodTemplate } from "../core-v1/pod-validation.ts";
import { checkPodFailurePolicy } from "./pod-failure-policy-validation.ts";
import { checkSuccessPolicy } from "./success-policy-validation.ts";

const most = {
  indexedParallelism: 100_000,
  failedIndexes: 100_000,
  /** Beyond so many completions what is written down of them must stay small. */
  completions: 100_000,
  parallelismBeyond: 10_000,
  failedIndexesBeyond: 10_000,
  managedBy: 63,
};

/** All of a job's spec but its selector. */
export function* checkJobSpecParts(field: string, spec: JobSpec): Findings {
  for (const name of [
    "parallelism",
    "completions",
    "activeDeadlineSeconds",
    "backoffLimit",
    "ttlSecondsAfterFinished",
    "backoffLimitPerIndex",
    "maxFailedIndexes",
  ] as const) {
    yield* checkNonNegative(`${field}.${name}`, spec[name]);
  }
  if (spec.maxFailedIndexes !== undefined && spec.backoffLimitPerIndex === undefined) {
    yield fieldError.required(`${field}.backoffLimitPerIndex`, "when maxFailedIndexes is specified");
  }
  if (spec.managedBy !== undefined) {
    yield* checkDomainPath(`${field}.managedBy`, spec.managedBy);
    if (spec.managedBy.length > most.managedBy) yield fieldError.tooLong(`${field}.managedBy`, most.managedBy);
  }
  yield* checkCompletionMode(field, spec);
  if (spec.podFailurePolicy) yield* checkPodFailurePolicy(`${field}.podFailurePolicy`, spec);
  if (spec.successPolicy) {
    if (spec.completionMode === "Indexed") yield* checkSuccessPolicy(`${field}.successPolicy`, spec);
    else yield fieldError.invalid(`${field}.successPolicy`, spec.successPolicy, "requires indexed completion mode");
  }
  yield* checkReplacement(`${field}.podReplacementPolicy`, spec);
  yield* checkPodTemplate(`${field}.template`, spec.template ?? {});
  yield* checkRestartPolicy(`${field}.template.spec.restartPolicy`, spec);
}

function* checkCompletionMode(field: string, spec: JobSpec): Findings {
  const { completionMode = "NonIndexed" } = spec;
  if (completionMode === "Indexed") yield* checkIndexed(field, spec);
  else if (completionMode !== "NonIndexed") {
    yield fieldError.notSupported(`${field}.completionMode`, completionMode, ["NonIndexed", "Indexed"]);
  } else {
    for (const name of ["backoffLimitPerIndex", "maxFailedIndexes"] as const) {
      if (spec[name] === undefined) continue;
      yield fieldError.invalid(`${field}.${name}`, spec[name], "requires indexed completion mode");
    }
  }
}

const atMost = (limit: number): string => `must be less than or equal to ${limit}`;

function* checkIndexed(field: string, spec: JobSpec): Findings {
  const { completions, parallelism = 0, maxFailedIndexes: failed } = spec;
  const parallelPath = `${field}.parallelism`;
  const failedPath = `${field}.maxFailedIndexes`;
  if (completions === undefined) yield fieldError.required(`${field}.completions`, "when completion mode is Indexed");
  if (parallelism > most.indexedParallelism) {
    const message = `${atMost(most.indexedParallelism)} when completion mode is Indexed`;
    yield fieldError.invalid(parallelPath, parallelism, message);
  }
  if (completions !== undefined && failed !== undefined && failed > completions) {
    yield fieldError.invalid(failedPath, failed, "must be less than or equal to completions");
  }
  if (failed !== undefined && failed > most.failedIndexes) {
    yield fieldError.invalid(failedPath, failed, atMost(most.failedIndexes));
  }
  if ((completions ?? 0) <= most.completions || spec.backoffLimitPerIndex === undefined) return;
  const when = `when completions are above ${most.completions} and used with backoff limit per index`;
  if (failed === undefined) {
    yield fieldError.required(failedPath, `must be specified when completions is above ${most.completions}`);
  }
  if (parallelism > most.parallelismBeyond) {
    yield fieldError.invalid(parallelPath, parallelism, `${atMost(most.parallelismBeyond)} ${when}`);
  }
  if (failed !== undefined && failed > most.failedIndexesBeyond) {
    yield fieldError.invalid(failedPath, failed, `${atMost(most.failedIndexesBeyond)} ${when}`);
  }
}

function* checkReplacement(field: string, { podReplacementPolicy: policy, podFailurePolicy }: JobSpec): Findings {
  const allowed = podFailurePolicy ? ["Failed"] : ["Failed", "TerminatingOrFailed"];
  if (policy !== undefined && !allowed.includes(policy)) yield fieldError.notSupported(field, policy, allowed);
}

function* checkRestartPolicy(field: string, { template, podFailurePolicy }: JobSpec): Findings {
  const policy = template?.spec?.restartPolicy ?? "";
  if (policy === "" || policy === "Always") {
    yield fieldError.required(field, 'valid values: "OnFailure", "Never"');
  } else if (policy !== "OnFailure" && policy !== "Never") {
    yield fieldError.notSupported(field, policy, ["OnFailure", "Never"]);
  } else if (podFailurePolicy && policy !== "Never") {
    yield fieldError.invalid(field, policy, 'only "Never" is supported when podFailurePolicy is specified');
  }
}
