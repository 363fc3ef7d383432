import { type FieldError, fieldError } from "../../field-error.ts";
import type {
  MatchCondition,
  MatchResources,
  MutatingAdmissionPolicySpec,
  NamedRuleWithOperations,
  ParamKind,
  ParamRef,
  ValidatingAdmissionPolicySpec,
  Validation,
  Variable,
} from "../../generated/types/admissionregistration-v1.ts";
import {
  checkChoice,
  checkQualifiedName,
  checkRequiredChoice,
  type Findings,
  invalidFor,
} from "../../validation/checks.ts";
import { checkLabelSelector } from "../../validation/labels.ts";
import { dns1035Label, dnsSubdomain, pathSegmentName } from "../../validation/names.ts";
import { checkRule } from "./rule-validation.ts";

const reasons = ["Forbidden", "Invalid", "RequestEntityTooLarge", "Unauthorized"];
const mostConditions = 64;
const mostAnnotations = 20;
const longestAnnotation = 5 * 1024;

const isBlank = (text: string | undefined): boolean => (text ?? "").trim() === "";

/** Names that expressions can call a variable. */
const identifier = /^[_a-zA-Z][_a-zA-Z0-9]*$/;
const reserved: ReadonlySet<string> = new Set(
  "true false null in as break const continue else for function if import let loop package namespace return var void while".split(
    " ",
  ),
);

/** What both kinds of policies have, but for their expressions: the server compiles those. */
function* checkCommon(spec: ValidatingAdmissionPolicySpec | MutatingAdmissionPolicySpec): Findings {
  yield* checkRequiredChoice("spec.failurePolicy", spec.failurePolicy, ["Fail", "Ignore"]);
  if (spec.paramKind !== undefined) yield* checkParamKind("spec.paramKind", spec.paramKind);
  if (spec.matchConstraints === undefined) yield fieldError.required("spec.matchConstraints");
  else {
    yield* checkMatch("spec.matchConstraints", spec.matchConstraints);
    if (!spec.matchConstraints.resourceRules?.length) yield fieldError.required("spec.matchConstraints.resourceRules");
  }
  yield* checkMatchConditions("spec.matchConditions", spec.matchConditions ?? []);
  for (const [index, variable] of (spec.variables ?? []).entries()) {
    yield* checkVariable(`spec.variables[${index}]`, variable);
  }
}

/** Findings in a ValidatingAdmissionPolicy. */
export function* checkValidatingPolicy(name: string, spec: ValidatingAdmissionPolicySpec): Findings {
  yield* checkCommon(spec);
  const { validations = [], auditAnnotations = [] } = spec;
  if (validations.length === 0 && auditAnnotations.length === 0) {
    const why = "validations or auditAnnotations must contain at least one item";
    yield fieldError.required("spec.validations", why);
    yield fieldError.required("spec.auditAnnotations", why);
    return;
  }
  for (const [index, validation] of validations.entries()) {
    yield* checkValidation(`spec.validations[${index}]`, validation);
  }
  if (auditAnnotations.length > mostAnnotations) {
    const why = `must not have more than ${mostAnnotations} auditAnnotations`;
    yield fieldError.invalid("spec.auditAnnotations", auditAnnotations, why);
  }
  const keys = new Set<string>();
  for (const [index, { key, valueExpression }] of auditAnnotations.entries()) {
    const field = `spec.auditAnnotations[${index}]`;
    if (name === "") yield fieldError.invalid(`${field}.key`, key, "requires metadata.name be non-empty");
    else yield* checkQualifiedName(`${field}.key`, `${name}/${key}`);
    if (isBlank(valueExpression)) {
      yield fieldError.required(`${field}.valueExpression`, "valueExpression is not specified");
    } else if (valueExpression.trim().length > longestAnnotation) {
      yield fieldError.required(`${field}.valueExpression`, `must not exceed ${longestAnnotation} bytes in length`);
    }
    if (keys.has(key)) yield fieldError.duplicate(`${field}.key`, key);
    keys.add(key);
  }
}

/** Findings in a MutatingAdmissionPolicy. */
export function* checkMutatingPolicy(spec: MutatingAdmissionPolicySpec): Findings {
  yield* checkCommon(spec);
  const mutations = spec.mutations ?? [];
  if (mutations.length === 0) yield fieldError.required("spec.mutations", "mutations must contain at least one item");
  for (const [index, mutation] of mutations.entries()) {
    const field = `spec.mutations[${index}]`;
    const { applyConfiguration, jsonPatch } = mutation;
    switch (mutation.patchType) {
      case "ApplyConfiguration":
        yield* checkPatch(`${field}.applyConfiguration`, applyConfiguration, "ApplyConfiguration");
        if (jsonPatch !== undefined) yield misplaced(`${field}.jsonPatch`, "JSONPatch");
        break;
      case "JSONPatch":
        yield* checkPatch(`${field}.jsonPatch`, jsonPatch, "JSONPatch");
        if (applyConfiguration !== undefined) yield misplaced(`${field}.applyConfiguration`, "ApplyConfiguration");
        break;
      default:
        yield* checkRequiredChoice(`${field}.patchType`, mutation.patchType, ["ApplyConfiguration", "JSONPatch"]);
    }
  }
  yield* checkRequiredChoice("spec.reinvocationPolicy", spec.reinvocationPolicy, ["IfNeeded", "Never"]);
}

function* checkPatch(
  field: string,
  patch: { readonly expression?: string | undefined } | undefined,
  type: string,
): Findings {
  if (patch === undefined) yield fieldError.required(field, `must be specified when patchType is ${type}`);
  else if (isBlank(patch.expression)) yield fieldError.required(`${field}.expression`, "expression is not specified");
}

const misplaced = (field: string, type: string): FieldError =>
  fieldError.forbidden(field, `must not be specified unless patchType is ${type}`);

/** The conditions of a policy or a webhook, but for their expressions. */
export function* checkMatchConditions(field: string, conditions: readonly MatchCondition[]): Findings {
  if (conditions.length > mostConditions) yield fieldError.tooMany(field, conditions.length, mostConditions);
  const names = new Set<string>();
  for (const [index, { name, expression }] of conditions.entries()) {
    const here = `${field}[${index}]`;
    if (isBlank(expression)) yield fieldError.required(`${here}.expression`);
    if (!name) {
      yield fieldError.required(`${here}.name`);
      continue;
    }
    yield* checkQualifiedName(`${here}.name`, name);
    if (names.has(name)) yield fieldError.duplicate(`${here}.name`, name);
    names.add(name);
  }
}

function* checkVariable(field: string, { name, expression }: Variable): Findings {
  if (isBlank(name)) yield fieldError.required(`${field}.name`, "name is not specified");
  else if (!identifier.test(name) || reserved.has(name)) {
    yield fieldError.invalid(`${field}.name`, name, "name is not a valid CEL identifier");
  }
  if (isBlank(expression)) yield fieldError.required(`${field}.expression`, "expression is not specified");
}

function* checkValidation(field: string, { expression, message, messageExpression, reason }: Validation): Findings {
  if (isBlank(expression)) yield fieldError.required(`${field}.expression`, "expression is not specified");
  if (messageExpression && isBlank(messageExpression)) {
    yield fieldError.invalid(`${field}.messageExpression`, messageExpression, "must be non-empty if specified");
  }
  if (message && isBlank(message)) {
    yield fieldError.invalid(`${field}.message`, message, "message must be non-empty if specified");
  } else if (message && /[\n\r]/.test(message.trim())) {
    yield fieldError.invalid(`${field}.message`, message, "message must not contain line breaks");
  }
  yield* checkChoice(`${field}.reason`, reason, reasons);
}

function* checkParamKind(field: string, { apiVersion = "", kind = "" }: ParamKind): Findings {
  const parts = apiVersion === "/" ? ["", ""] : apiVersion.split("/");
  const [group = "", version = ""] = parts.length === 1 ? ["", ...parts] : parts;
  if (apiVersion === "") yield fieldError.required(`${field}.apiVersion`);
  else if (parts.length > 2) {
    yield fieldError.invalid(`${field}.apiVersion`, apiVersion, `unexpected GroupVersion string: ${apiVersion}`);
  } else {
    const wrongGroup = group === "" ? [] : dnsSubdomain(group);
    if (wrongGroup.length > 0) yield fieldError.invalid(`${field}.apiVersion`, group, wrongGroup.join(","));
    const wrongVersion = dns1035Label(version);
    if (version === "") yield fieldError.invalid(`${field}.apiVersion`, apiVersion, "version must be specified");
    else if (wrongVersion.length > 0) yield fieldError.invalid(`${field}.apiVersion`, version, wrongVersion.join(","));
  }
  const wrongKind = dns1035Label(kind.toLowerCase());
  if (kind === "") yield fieldError.required(`${field}.kind`);
  else if (wrongKind.length > 0) {
    const why = `may have mixed case, but should otherwise match: ${wrongKind.join(",")}`;
    yield fieldError.invalid(`${field}.kind`, kind, why);
  }
}

/** Which objects a policy or a binding is for. */
export function* checkMatch(field: string, match: MatchResources): Findings {
  yield* checkRequiredChoice(`${field}.matchPolicy`, match.matchPolicy, ["Equivalent", "Exact"]);
  if (match.namespaceSelector === undefined) yield fieldError.required(`${field}.namespaceSelector`);
  else yield* checkLabelSelector(`${field}.namespaceSelector`, match.namespaceSelector);
  if (match.objectSelector === undefined) yield fieldError.required(`${field}.objectSelector`);
  else yield* checkLabelSelector(`${field}.objectSelector`, match.objectSelector);
  yield* checkNamedRules(`${field}.resourceRules`, match.resourceRules ?? []);
  yield* checkNamedRules(`${field}.excludeResourceRules`, match.excludeResourceRules ?? []);
}

function* checkNamedRules(field: string, rules: readonly NamedRuleWithOperations[]): Findings {
  for (const [index, rule] of rules.entries()) {
    const here = `${field}[${index}]`;
    const names = new Set<string>();
    for (const [at, name] of (rule.resourceNames ?? []).entries()) {
      yield* invalidFor(`${here}.resourceNames[${at}]`, name, pathSegmentName(name, false));
      if (names.has(name)) yield fieldError.duplicate(`${here}.resourceNames[${at}]`, name);
      names.add(name);
    }
    yield* checkRule(here, rule);
  }
}

/** What both kinds of bindings have. */
export function* checkBinding(spec: {
  readonly policyName?: string | undefined;
  readonly paramRef?: ParamRef | undefined;
  readonly matchResources?: MatchResources | undefined;
}): Findings {
  const { policyName, paramRef, matchResources } = spec;
  if (!policyName) yield fieldError.required("spec.policyName");
  else yield* invalidFor("spec.policyName", policyName, dnsSubdomain(policyName));
  if (paramRef !== undefined) yield* checkParamRef("spec.paramRef", paramRef);
  // Kubernetes' own spelling of the path.
  if (matchResources !== undefined) yield* checkMatch("spec.matchResouces", matchResources);
}

function* checkParamRef(field: string, { name, selector, parameterNotFoundAction }: ParamRef): Findings {
  const both = "name and selector are mutually exclusive";
  if (name) {
    yield* invalidFor(`${field}.name`, name, pathSegmentName(name, false));
    if (selector !== undefined) yield fieldError.forbidden(`${field}.name`, both);
  }
  if (selector !== undefined) {
    yield* checkLabelSelector(`${field}.selector`, selector);
    if (name) yield fieldError.forbidden(`${field}.selector`, both);
  }
  if (!name && selector === undefined) yield fieldError.required(field, "one of name or selector must be specified");
  yield* checkRequiredChoice(`${field}.parameterNotFoundAction`, parameterNotFoundAction, ["Deny", "Allow"]);
}

const actions = ["Audit", "Deny", "Warn"];

/** What a binding does with what its policy finds. */
export function* checkValidationActions(field: string, given: readonly string[]): Findings {
  const seen = new Set<string>();
  for (const [index, action] of given.entries()) {
    yield* checkChoice(`${field}[${index}]`, action, actions);
    if (seen.has(action)) yield fieldError.duplicate(`${field}[${index}]`, action);
    seen.add(action);
  }
  if (seen.has("Deny") && seen.has("Warn")) {
    const why =
      "must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)";
    yield fieldError.invalid(field, given, why);
  }
  if (seen.size === 0) yield fieldError.required(field, "at least one validation action is required");
}
