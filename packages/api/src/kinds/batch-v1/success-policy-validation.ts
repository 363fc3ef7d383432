import { fieldError } from "../../field-error.ts";
import type { JobSpec, SuccessPolicyRule } from "../../generated/types/batch-v1.ts";
import { checkNonNegative, type Findings } from "../../validation/checks.ts";
import { countIndexes, IndexesError, parseIndexes } from "./job-indexes.ts";

const most = { rules: 20, indexesBytes: 65_536 };

/** When an indexed job has succeeded before all of its indexes have. */
export function* checkSuccessPolicy(field: string, spec: JobSpec): Findings {
  const { rules = [] } = spec.successPolicy ?? {};
  if (rules.length === 0) {
    const message = "at least one rules must be specified when the successPolicy is specified";
    yield fieldError.required(`${field}.rules`, message);
  }
  if (rules.length > most.rules) yield fieldError.tooMany(`${field}.rules`, rules.length, most.rules);
  for (const [index, rule] of rules.entries())
    yield* checkRule(`${field}.rules[${index}]`, rule, spec.completions ?? 0);
}

function* checkRule(field: string, rule: SuccessPolicyRule, completions: number): Findings {
  const { succeededCount: count, succeededIndexes: indexes } = rule;
  if (count === undefined && indexes === undefined) {
    yield fieldError.required(field, "at least one of succeededCount or succeededIndexes must be specified");
  }
  let total = 0;
  if (indexes !== undefined) {
    const path = `${field}.succeededIndexes`;
    if (indexes.length > most.indexesBytes) yield fieldError.tooLong(path, most.indexesBytes);
    try {
      total = countIndexes(parseIndexes(indexes, completions));
    } catch (error) {
      if (!(error instanceof IndexesError)) throw error;
      yield fieldError.invalid(path, indexes, `error parsing succeededIndexes: ${error.message}`);
    }
  }
  if (count === undefined) return;
  const path = `${field}.succeededCount`;
  yield* checkNonNegative(path, count);
  if (count > completions) {
    const message = `must be less than or equal to ${completions} (the number of specified completions)`;
    yield fieldError.invalid(path, count, message);
  }
  if (indexes !== undefined && count > total) {
    const message = `must be less than or equal to ${total} (the number of indexes in the specified succeededIndexes field)`;
    yield fieldError.invalid(path, count, message);
  }
}
