import { fieldError } from "../field-error.ts";
import type { LabelSelector, LabelSelectorRequirement } from "../generated/types/meta-v1.ts";
import { checkQualifiedName, type Findings, invalidFor } from "./checks.ts";
import { labelValue } from "./names.ts";

/** Labels of an object, or selectors in their form. */
export function* checkLabels(field: string, labels: Readonly<Record<string, string>> | undefined): Findings {
  for (const [key, value] of Object.entries(labels ?? {})) {
    yield* checkQualifiedName(field, key);
    yield* invalidFor(field, value, labelValue(value));
  }
}

/** A selector with expressions. Absent ones select nothing and are fine. */
export function* checkLabelSelector(field: string, selector: LabelSelector | undefined): Findings {
  if (selector === undefined) return;
  yield* checkLabels(`${field}.matchLabels`, selector.matchLabels);
  for (const [index, requirement] of (selector.matchExpressions ?? []).entries()) {
    yield* checkRequirement(`${field}.matchExpressions[${index}]`, requirement);
  }
}

function* checkRequirement(field: string, { key, operator, values = [] }: LabelSelectorRequirement): Findings {
  switch (operator) {
    case "In":
    case "NotIn":
      if (values.length === 0) {
        yield fieldError.required(`${field}.values`, "must be specified when `operator` is 'In' or 'NotIn'");
      }
      break;
    case "Exists":
    case "DoesNotExist":
      if (values.length > 0) {
        yield fieldError.forbidden(
          `${field}.values`,
          "may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
        );
      }
      break;
    default:
      yield fieldError.invalid(`${field}.operator`, operator, "not a valid selector operator");
  }
  yield* checkQualifiedName(`${field}.key`, key);
  for (const [index, value] of values.entries()) {
    yield* invalidFor(`${field}.values[${index}]`, value, labelValue(value));
  }
}

/** True for selectors that select everything. */
export const selectsAll = (selector: LabelSelector | undefined): boolean =>
  selector !== undefined &&
  Object.keys(selector.matchLabels ?? {}).length === 0 &&
  (selector.matchExpressions ?? []).length === 0;
