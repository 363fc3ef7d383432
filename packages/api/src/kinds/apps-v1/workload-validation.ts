import { fieldError } from "../../field-error.ts";
import type { PodTemplateSpec } from "../../generated/types/core-v1.ts";
import type { LabelSelector } from "../../generated/types/meta-v1.ts";
import { labelSelectorOf } from "../../selectors/label-selector.ts";
import { checkNonNegative, type Findings } from "../../validation/checks.ts";
import { checkLabelSelector, selectsAll } from "../../validation/labels.ts";
import { formMessage } from "../../validation/names.ts";
import { checkPodTemplate } from "../core-v1/pod-validation.ts";

/** The selector of a workload, which must select something, and the template of its pods, which it must select. */
export function* checkSelectorAndTemplate(of: {
  readonly selector: LabelSelector | undefined;
  readonly template: PodTemplateSpec | undefined;
  /** As in `Deployment`, in messages. */
  readonly kind: string;
  /** As in `deployment`: who finds an empty selector invalid. */
  readonly emptyFor: string;
}): Findings {
  const { selector, template, kind, emptyFor } = of;
  if (yield* checkSelector(selector, emptyFor)) {
    return yield fieldError.invalid("spec.selector", selector, "invalid label selector");
  }
  if (template === undefined) return yield fieldError.required("spec.template");
  yield* checkTemplateLabels(selector, template);
  yield* checkPodTemplate("spec.template", template);
  yield* checkRunsAlways("spec.template", template, kind);
}

/** A selector that must be there and select something. The result is true when it cannot be read. */
export function* checkSelector(
  selector: LabelSelector | undefined,
  emptyFor: string,
): Generator<ReturnType<typeof fieldError.invalid>, boolean> {
  if (selector === undefined) {
    yield fieldError.required("spec.selector");
    return false;
  }
  const problems = [...checkLabelSelector("spec.selector", selector)];
  yield* problems;
  if (selectsAll(selector)) {
    yield fieldError.invalid("spec.selector", selector, `empty selector is invalid for ${emptyFor}`);
  }
  return problems.length > 0;
}

/** The labels of the template, which a selector that says something must match. */
export function* checkTemplateLabels(selector: LabelSelector | undefined, template: PodTemplateSpec): Findings {
  const labels = template.metadata?.labels;
  if (selector === undefined || selectsAll(selector) || labelSelectorOf(selector).matches(labels)) return;
  yield fieldError.invalid("spec.template.metadata.labels", labels, "`selector` does not match template `labels`");
}

/** Pods that are to run for ever. `kind` stands in the message. */
export function* checkRunsAlways(field: string, { spec }: PodTemplateSpec, kind: string): Findings {
  if (spec?.restartPolicy !== "Always") {
    yield fieldError.notSupported(`${field}.spec.restartPolicy`, spec?.restartPolicy ?? "", ["Always"]);
  }
  if (spec?.activeDeadlineSeconds !== undefined) {
    const path = `${field}.spec.activeDeadlineSeconds`;
    yield fieldError.forbidden(path, `activeDeadlineSeconds in ${kind} is not Supported`);
  }
}

/** A count or a share: `2`, `25%`. */
export function* checkPositiveIntOrPercent(field: string, value: number | string | undefined): Findings {
  if (typeof value === "number") return yield* checkNonNegative(field, value);
  if (value === undefined || isPercent(value)) return;
  const text = "a valid percent string must be a numeric string followed by an ending '%'";
  yield fieldError.invalid(field, value, formMessage(text, "[0-9]+%", ["1%", "93%"]));
}

const isPercent = (value: string): boolean => /^[0-9]+%$/.test(value);

/** A share that is not more than everything. */
export function* checkAtMostAll(field: string, value: number | string | undefined): Findings {
  if (typeof value !== "string" || !isPercent(value) || Number.parseInt(value, 10) <= 100) return;
  yield fieldError.invalid(field, value, "must not be greater than 100%");
}

/** True for `0`, `0%` and what says nothing. */
export const isNone = (value: number | string | undefined): boolean =>
  typeof value === "string" ? !(Number.parseInt(value, 10) > 0) : !value;

/** Counts of replicas in a status: none negative, none of a part above the whole. */
export function* checkReplicaCounts(
  status: Readonly<Partial<Record<string, unknown>>>,
  parts: readonly string[],
): Findings {
  const count = (name: string): number => {
    const value = status[name];
    return typeof value === "number" ? value : 0;
  };
  for (const name of ["replicas", ...parts, "observedGeneration"])
    yield* checkNonNegative(`status.${name}`, count(name));
  for (const name of parts) {
    if (count(name) > count("replicas")) {
      yield fieldError.invalid(`status.${name}`, count(name), "cannot be greater than status.replicas");
    }
  }
  if (count("availableReplicas") > count("readyReplicas")) {
    const message = "cannot be greater than readyReplicas";
    yield fieldError.invalid("status.availableReplicas", count("availableReplicas"), message);
  }
}

/** A count of hash collisions only grows. */
export function* checkNotDecremented(field: string, value: number | undefined, old: number | undefined): Findings {
  if (old === undefined || (value !== undefined && value >= old)) return;
  yield fieldError.invalid(field, value ?? 0, "cannot be decremented");
}
