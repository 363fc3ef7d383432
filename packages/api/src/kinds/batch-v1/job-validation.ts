import { deepCopy } from "@skiff/base";
import { fieldError } from "../../field-error.ts";
import type { Job, JobSpec } from "../../generated/types/batch-v1.ts";
import type { Container, PodTemplateSpec } from "../../generated/types/core-v1.ts";
import { labelSelectorOf } from "../../selectors/label-selector.ts";
import { checkImmutable, type Findings } from "../../validation/checks.ts";
import { checkLabelSelector } from "../../validation/labels.ts";
import { dnsLabel } from "../../validation/names.ts";
import { checkJobSpecParts } from "./job-spec-validation.ts";

/** Labels that tie pods to their job: today's, and those of before they had a domain. */
export const jobLabels = {
  uid: "batch.kubernetes.io/controller-uid",
  name: "batch.kubernetes.io/job-name",
  oldUid: "controller-uid",
  oldName: "job-name",
} as const;

/** A Job; `old` is absent for a new one. */
export function* checkJob(job: Job, old: Job | undefined): Findings {
  const { spec, metadata } = job;
  if (old === undefined) yield* checkGeneratedSelector(job);
  yield* checkJobSpecParts("spec", spec);
  if (spec.selector === undefined) yield fieldError.required("spec.selector");
  const problems = [...checkLabelSelector("spec.selector", spec.selector)];
  yield* problems;
  const labels = spec.template?.metadata?.labels;
  if (problems.length === 0 && !labelSelectorOf(spec.selector).matches(labels)) {
    const message = "`selector` does not match template `labels`";
    yield fieldError.invalid("spec.template.metadata.labels", labels, message);
  }
  if (old !== undefined || spec.completionMode !== "Indexed" || !((spec.completions ?? 0) > 0)) return;
  const longest = `${metadata.name}-${(spec.completions ?? 0) - 1}`;
  if (dnsLabel(longest).length > 0) {
    const message = `will not able to create pod with invalid DNS label: ${longest}`;
    yield fieldError.invalid("metadata.name", metadata.name, message);
  }
}

/** A selector that the server made, and the labels that go with it. */
function* checkGeneratedSelector({ spec, metadata }: Job): Findings {
  if (spec.manualSelector || spec.selector === undefined) return;
  const { uid = "", name } = metadata;
  if (uid === "") yield fieldError.required("metadata.uid");
  const expected = {
    [jobLabels.oldUid]: uid,
    [jobLabels.oldName]: name,
    [jobLabels.uid]: uid,
    [jobLabels.name]: name,
  };
  const labels = spec.template.metadata?.labels ?? {};
  for (const [key, value] of Object.entries(expected)) {
    const path = `spec.template.metadata.labels[${key}]`;
    if (labels[key] === undefined) yield fieldError.required(path, `must be '${value}'`);
    else if (labels[key] !== value) yield fieldError.invalid(path, labels, `must be '${value}'`);
  }
  if ([...checkLabelSelector("spec.selector", spec.selector)].length > 0) return;
  if (!labelSelectorOf(spec.selector).matches(expected)) {
    yield fieldError.invalid("spec.selector", spec.selector, "`selector` not auto-generated");
  }
}

/** A change of a Job. */
export function* checkJobUpdate(job: Job, old: Job): Findings {
  const { spec } = job;
  yield* checkCompletions(spec, old.spec);
  yield* checkImmutable("spec.selector", spec.selector, old.spec.selector);
  yield* checkTemplate(spec.template, old);
  for (const name of [
    "completionMode",
    "podFailurePolicy",
    "backoffLimitPerIndex",
    "managedBy",
    "successPolicy",
  ] as const) {
    yield* checkImmutable(`spec.${name}`, spec[name], old.spec[name]);
  }
}

/** Indexed jobs may grow and shrink, as long as all indexes run at the same time. */
function* checkCompletions(spec: JobSpec, old: JobSpec): Findings {
  const { completions, parallelism } = spec;
  if (spec.completionMode !== "Indexed") {
    return yield* checkImmutable("spec.completions", completions, old.completions);
  }
  if (completions === undefined || completions === old.completions || completions === parallelism) return;
  const message = "can only be modified in tandem with spec.parallelism";
  yield fieldError.invalid("spec.completions", completions, message);
}

/** A suspended job may be told where its pods go and what they may use before they are made. */
function* checkTemplate(template: PodTemplateSpec, old: Job): Findings {
  if (old.spec.suspend !== true) return yield* checkImmutable("spec.template", template, old.spec.template);
  const { startTime, conditions = [], active = 0 } = old.status ?? {};
  const isHeld = !startTime || conditions.some(({ type, status }) => type === "Suspended" && status === "True");
  if (!isHeld || active > 0) return yield* checkImmutable("spec.template", template, old.spec.template);
  const before = deepCopy(old.spec.template.spec ?? { containers: [] });
  const now = template.spec ?? { containers: [] };
  const affinity = { ...before.affinity, nodeAffinity: now.affinity?.nodeAffinity };
  const isOnlyNodes = affinity.podAffinity === undefined && affinity.podAntiAffinity === undefined;
  before.affinity = now.affinity === undefined && isOnlyNodes ? undefined : affinity;
  before.nodeSelector = now.nodeSelector;
  before.tolerations = now.tolerations;
  before.schedulingGates = now.schedulingGates;
  before.containers = withResources(before.containers, now.containers);
  if (before.initContainers) before.initContainers = withResources(before.initContainers, now.initContainers ?? []);
  yield* checkImmutable("spec.template.spec", now, before);
}

const withResources = (before: readonly Container[], now: readonly Container[]): Container[] =>
  before.map((container, index) => {
    const other = now.length === before.length ? now[index] : undefined;
    return other?.name === container.name ? { ...container, resources: other.resources } : container;
  });
