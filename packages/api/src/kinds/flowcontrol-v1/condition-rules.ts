import { fieldError } from "../../field-error.ts";
import { checkUnique, type Findings } from "../../validation/checks.ts";

/** Conditions of one status: each type once, and none without a type. */
export function* checkConditions(conditions: readonly { readonly type?: string | undefined }[] = []): Findings {
  const seen = new Set<string>();
  for (const [at, { type = "" }] of conditions.entries()) {
    const field = `status.conditions[${at}].type`;
    yield* checkUnique(field, type, seen);
    if (type === "") yield fieldError.required(field, "must not be empty");
  }
}
