import { fieldError, omittedValue } from "../../field-error.ts";
import type {
  JobSpec,
  PodFailurePolicyOnExitCodesRequirement,
  PodFailurePolicyOnPodConditionsPattern,
  PodFailurePolicyRule,
} from "../../generated/types/batch-v1.ts";
import { checkQualifiedName, type Findings } from "../../validation/checks.ts";

const most = { rules: 20, exitCodes: 255, conditions: 20 };
const actions = ["Count", "FailIndex", "FailJob", "Ignore"];
const operators = ["In", "NotIn"];
const statuses = ["False", "True", "Unknown"];

const validValues = (values: readonly string[]): string =>
  `valid values: [${values.map((value) => JSON.stringify(value)).join(" ")}]`;

/** What a job does about pods that failed. */
export function* checkPodFailurePolicy(field: string, spec: JobSpec): Findings {
  const { rules = [] } = spec.podFailurePolicy ?? {};
  if (rules.length > most.rules) yield fieldError.tooMany(`${field}.rules`, rules.length, most.rules);
  const { containers = [], initContainers = [] } = spec.template?.spec ?? {};
  const names = new Set([...containers, ...initContainers].map(({ name }) => name));
  for (const [index, rule] of rules.entries()) {
    const perIndex = spec.backoffLimitPerIndex !== undefined;
    yield* checkRule(`${field}.rules[${index}]`, rule, { perIndex, names });
  }
}

function* checkRule(
  field: string,
  { action, onExitCodes, onPodConditions = [] }: PodFailurePolicyRule,
  { perIndex, names }: { readonly perIndex: boolean; readonly names: ReadonlySet<string> },
): Findings {
  const path = `${field}.action`;
  if (!action) yield fieldError.required(path, validValues(actions));
  else if (action === "FailIndex") {
    if (!perIndex) yield fieldError.invalid(path, action, "requires the backoffLimitPerIndex to be set");
  } else if (!actions.includes(action)) yield fieldError.notSupported(path, action, actions);
  if (onExitCodes) yield* checkExitCodes(`${field}.onExitCodes`, onExitCodes, names);
  yield* checkConditions(`${field}.onPodConditions`, onPodConditions);
  if (onExitCodes && onPodConditions.length > 0) {
    const message = "specifying both OnExitCodes and OnPodConditions is not supported";
    yield fieldError.invalid(field, omittedValue, message);
  }
  if (!onExitCodes && onPodConditions.length === 0) {
    const message = "specifying one of OnExitCodes and OnPodConditions is required";
    yield fieldError.invalid(field, omittedValue, message);
  }
}

function* checkConditions(field: string, patterns: readonly PodFailurePolicyOnPodConditionsPattern[]): Findings {
  if (patterns.length > most.conditions) yield fieldError.tooMany(field, patterns.length, most.conditions);
  for (const [index, { type, status }] of patterns.entries()) {
    const path = `${field}[${index}]`;
    yield* checkQualifiedName(`${path}.type`, type ?? "");
    if (!status) yield fieldError.required(`${path}.status`, validValues(statuses));
    else if (!statuses.includes(status)) yield fieldError.notSupported(`${path}.status`, status, statuses);
  }
}

function* checkExitCodes(
  field: string,
  { operator, containerName, values = [] }: PodFailurePolicyOnExitCodesRequirement,
  names: ReadonlySet<string>,
): Findings {
  if (!operator) yield fieldError.required(`${field}.operator`, validValues(operators));
  else if (!operators.includes(operator)) yield fieldError.notSupported(`${field}.operator`, operator, operators);
  if (containerName !== undefined && !names.has(containerName)) {
    const message = "must be one of the container or initContainer names in the pod template";
    yield fieldError.invalid(`${field}.containerName`, containerName, message);
  }
  const path = `${field}.values`;
  if (values.length === 0) yield fieldError.invalid(path, values, "at least one value is required");
  else if (values.length > most.exitCodes) yield fieldError.tooMany(path, values.length, most.exitCodes);
  const seen = new Set<number>();
  for (const [index, value] of values.entries()) {
    if (operator === "In" && value === 0) {
      yield fieldError.invalid(`${path}[${index}]`, value, "must not be 0 for the In operator");
    }
    if (seen.has(value)) yield fieldError.duplicate(`${path}[${index}]`, value);
    seen.add(value);
  }
  if (values.some((value, index) => (values[index - 1] ?? value) > value)) {
    yield fieldError.invalid(path, values, "must be ordered");
  }
}
