import { fieldError } from "../../field-error.ts";
import type { Container } from "../../generated/types/core-v1.ts";
import type { Findings } from "../../validation/checks.ts";

const policies = ["Always", "Never", "OnFailure"];
const mostRules = 20;
const mostValues = 255;

/** When a container starts again: its own policy, and the rules for exit codes that come before it. */
export function* checkRestart(field: string, container: Container): Findings {
  const { restartPolicy, restartPolicyRules: rules = [] } = container;
  if (restartPolicy === undefined) {
    if (rules.length > 0) {
      yield fieldError.required(`${field}.restartPolicy`, "must specify restartPolicy when restart rules are used");
    }
  } else if (!policies.includes(restartPolicy)) {
    yield fieldError.notSupported(`${field}.restartPolicy`, restartPolicy, policies);
  }
  if (rules.length > mostRules) yield fieldError.tooMany(`${field}.restartPolicyRules`, rules.length, mostRules);
  for (const [index, { action, exitCodes }] of rules.entries()) {
    const path = `${field}.restartPolicyRules[${index}]`;
    if (action !== "Restart" && action !== "RestartAllContainers") {
      yield fieldError.notSupported(`${path}.action`, action ?? "", ["Restart", "RestartAllContainers"]);
    }
    if (exitCodes === undefined) {
      yield fieldError.required(`${path}.exitCodes`, "must be specified");
      continue;
    }
    const { operator, values = [] } = exitCodes;
    if (operator !== "In" && operator !== "NotIn") {
      yield fieldError.notSupported(`${path}.exitCodes.operator`, operator ?? "", ["In", "NotIn"]);
    }
    if (values.length > mostValues) yield fieldError.tooMany(`${path}.exitCodes.values`, values.length, mostValues);
  }
}
