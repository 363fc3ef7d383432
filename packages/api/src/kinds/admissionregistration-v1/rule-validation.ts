import { fieldError } from "../../field-error.ts";
import type { RuleWithOperations } from "../../generated/types/admissionregistration-v1.ts";
import { checkChoice, type Findings } from "../../validation/checks.ts";

const operations = ["*", "CONNECT", "CREATE", "DELETE", "UPDATE"];
const scopes = ["*", "Cluster", "Namespaced"];

const isMixed = (words: readonly string[]): boolean => words.length > 1 && words.includes("*");

/** One rule of a webhook or a policy. */
export function* checkRule(field: string, rule: RuleWithOperations): Findings {
  const given = rule.operations ?? [];
  if (given.length === 0) yield fieldError.required(`${field}.operations`);
  if (isMixed(given)) {
    yield fieldError.invalid(`${field}.operations`, given, "if '*' is present, must not specify other operations");
  }
  for (const [index, operation] of given.entries()) {
    yield* checkChoice(`${field}.operations[${index}]`, operation, operations);
  }
  const { apiGroups = [], apiVersions = [], resources = [], scope } = rule;
  if (apiGroups.length === 0) yield fieldError.required(`${field}.apiGroups`);
  if (isMixed(apiGroups)) {
    yield fieldError.invalid(`${field}.apiGroups`, apiGroups, "if '*' is present, must not specify other API groups");
  }
  if (apiVersions.length === 0) yield fieldError.required(`${field}.apiVersions`);
  if (isMixed(apiVersions)) {
    const why = "if '*' is present, must not specify other API versions";
    yield fieldError.invalid(`${field}.apiVersions`, apiVersions, why);
  }
  for (const [index, version] of apiVersions.entries()) {
    if (version === "") yield fieldError.required(`${field}.apiVersions[${index}]`);
  }
  yield* checkResources(`${field}.resources`, resources);
  yield* checkChoice(`${field}.scope`, scope, scopes);
}

/** Names of resources with or without subresources, none of which another of them includes. */
function* checkResources(field: string, resources: readonly string[]): Findings {
  if (resources.length === 0) yield fieldError.required(field);
  const whole = new Set<string>();
  const everywhere = new Set<string>();
  for (const [index, words] of resources.entries()) {
    const here = `${field}[${index}]`;
    if (words === "") yield fieldError.required(here);
    const slash = words.indexOf("/");
    if (slash < 0) continue;
    const [plural, part] = [words.slice(0, slash), words.slice(slash + 1)];
    if (whole.has(plural)) {
      yield fieldError.invalid(here, words, `if '${plural}/*' is present, must not specify ${words}`);
    }
    if (everywhere.has(part)) {
      yield fieldError.invalid(here, words, `if '*/${part}' is present, must not specify ${words}`);
    }
    if (part === "*") whole.add(plural);
    if (plural === "*") everywhere.add(part);
  }
  if (resources.length > 1 && resources.includes("*/*")) {
    yield fieldError.invalid(field, resources, "if '*/*' is present, must not specify other resources");
  }
  const last = resources.findLast((words) => words !== "" && !words.includes("/"));
  if (resources.includes("*") && last !== undefined && last !== "*") {
    const why = "if '*' is present, must not specify other resources without subresources";
    yield fieldError.invalid(field, resources, why);
  }
}
