import { fieldError } from "../field-error.ts";
import type { Condition } from "../generated/types/meta-v1.ts";
import { checkChoice, checkQualifiedName, checkUnique, type Findings } from "./checks.ts";
import { formMessage } from "./names.ts";

const reasonForm = "[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?";
const reasonPattern = new RegExp(`^${reasonForm}$`);
const reasonMessage = formMessage(
  "a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric characters or '_,:', and must end with an alphanumeric character or '_'",
  reasonForm,
  ["my_name", "MY_NAME", "MyName", "ReasonA,ReasonB", "ReasonA:ReasonB"],
);

const longest = { reason: 1024, message: 32_768 };

/** Conditions in the form that all newer kinds share, no two of one type. */
export function* checkConditions(field: string, conditions: readonly Condition[] = []): Findings {
  const types = new Set<string>();
  for (const [index, condition] of conditions.entries()) {
    const path = `${field}[${index}]`;
    yield* checkUnique(`${path}.type`, condition.type, types);
    yield* checkCondition(path, condition);
  }
}

function* checkCondition(field: string, condition: Condition): Findings {
  const { type, status, observedGeneration = 0, lastTransitionTime, reason, message = "" } = condition;
  yield* checkQualifiedName(`${field}.type`, type ?? "");
  yield* checkChoice(`${field}.status`, status ?? "", ["False", "True", "Unknown"]);
  if (observedGeneration < 0) {
    const wrong = "must be greater than or equal to zero";
    yield fieldError.invalid(`${field}.observedGeneration`, observedGeneration, wrong);
  }
  if (!lastTransitionTime) yield fieldError.required(`${field}.lastTransitionTime`, "must be set");
  if (!reason) yield fieldError.required(`${field}.reason`, "must be set");
  else {
    if (!reasonPattern.test(reason)) yield fieldError.invalid(`${field}.reason`, reason, reasonMessage);
    if (reason.length > longest.reason) yield fieldError.tooLong(`${field}.reason`, longest.reason);
  }
  if (message.length > longest.message) yield fieldError.tooLong(`${field}.message`, longest.message);
}
