import { jsonEqual } from "@skiff/base";
import { fieldError } from "../../field-error.ts";
import type {
  ResourceQuota,
  ResourceQuotaSpec,
  ScopedResourceSelectorRequirement,
} from "../../generated/types/core-v1.ts";
import { type Findings, immutableMessage } from "../../validation/checks.ts";
import { checkAmount, checkQuotaResourceName, isQuotaResource } from "./resource-validation.ts";

const compute = ["cpu", "memory", "limits.cpu", "limits.memory", "requests.cpu", "requests.memory"];
const ofPods = new Set(["pods", ...compute]);

/** What each scope can be a scope of. */
const scopes: Readonly<Record<string, ReadonlySet<string>>> = {
  Terminating: ofPods,
  NotTerminating: ofPods,
  BestEffort: new Set(["pods"]),
  NotBestEffort: ofPods,
  PriorityClass: ofPods,
  CrossNamespacePodAffinity: ofPods,
  VolumeAttributesClass: new Set(["persistentvolumeclaims", "requests.storage"]),
};

/** Scopes that no pod is in both of. */
const opposites = [
  ["BestEffort", "NotBestEffort"],
  ["Terminating", "NotTerminating"],
] as const;

/** Scopes that a pod is in or not, whatever the values. */
const withoutValues = new Set([
  "BestEffort",
  "NotBestEffort",
  "Terminating",
  "NotTerminating",
  "CrossNamespacePodAffinity",
]);

/** A quota's spec. */
export function* checkQuotaSpec(field: string, spec: ResourceQuotaSpec): Findings {
  yield* checkAmounts(`${field}.hard`, spec.hard);
  yield* checkScopes(`${field}.scopes`, spec);
  const expressions = spec.scopeSelector?.matchExpressions;
  if (spec.scopeSelector) yield* checkExpressions(`${field}.scopeSelector.matchExpressions`, spec, expressions ?? []);
}

function* checkAmounts(field: string, amounts: Readonly<Record<string, string>> | undefined): Findings {
  for (const [name, amount] of Object.entries(amounts ?? {})) {
    yield* checkQuotaResourceName(`${field}[${name}]`, name);
    yield* checkAmount(`${field}[${name}]`, name, amount);
  }
}

const quotaNames = ({ hard }: ResourceQuotaSpec): readonly string[] =>
  Object.keys(hard ?? {})
    .filter(isQuotaResource)
    .sort();

const conflict = (names: readonly string[]): boolean =>
  opposites.some((pair) => pair.every((scope) => names.includes(scope)));

function* checkScopes(field: string, spec: ResourceQuotaSpec): Findings {
  const names = spec.scopes ?? [];
  for (const scope of names) {
    if (scopes[scope] === undefined) yield fieldError.invalid(field, names, "unsupported scope");
    for (const resource of quotaNames(spec)) {
      if (scopes[scope]?.has(resource) ?? true) continue;
      yield fieldError.invalid(field, names, "unsupported scope applied to resource");
    }
  }
  if (conflict(names)) yield fieldError.invalid(field, names, "conflicting scopes");
}

function* checkExpressions(
  field: string,
  spec: ResourceQuotaSpec,
  expressions: readonly ScopedResourceSelectorRequirement[],
): Findings {
  for (const expression of expressions) {
    const { scopeName } = expression;
    if (scopes[scopeName] === undefined) {
      yield fieldError.invalid(`${field}.scopeName`, scopeName ?? "", "unsupported scope");
    }
    for (const resource of quotaNames(spec)) {
      if (scopes[scopeName]?.has(resource) ?? true) continue;
      yield fieldError.invalid(field, spec.scopeSelector, "unsupported scope applied to resource");
    }
    yield* checkOperator(field, expression);
  }
  if (conflict(expressions.map(({ scopeName }) => scopeName))) {
    yield fieldError.invalid(field, spec.scopes, "conflicting scopes");
  }
}

function* checkOperator(field: string, expression: ScopedResourceSelectorRequirement): Findings {
  const { scopeName, operator = "", values = [] } = expression;
  if (withoutValues.has(scopeName) && operator !== "Exists") {
    const message =
      "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity";
    yield fieldError.invalid(`${field}.operator`, operator, message);
  }
  if (operator === "In" || operator === "NotIn") {
    if (values.length > 0) return;
    const message = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector";
    yield fieldError.required(`${field}.values`, message);
  } else if (operator === "Exists" || operator === "DoesNotExist") {
    if (values.length === 0) return;
    const message = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector";
    yield fieldError.invalid(`${field}.values`, values, message);
  } else yield fieldError.invalid(`${field}.operator`, operator, "not a valid selector operator");
}

/** A change of a quota: what it counts stays. */
export function* checkQuotaUpdate({ spec }: ResourceQuota, { spec: old }: ResourceQuota): Findings {
  const sorted = (names: readonly string[] | undefined) => [...new Set(names)].sort();
  if (jsonEqual(sorted(spec.scopes), sorted(old?.scopes))) return;
  yield fieldError.invalid("spec.scopes", spec.scopes ?? null, immutableMessage);
}

/** A report of what is used. */
export function* checkQuotaStatus({ status }: ResourceQuota): Findings {
  yield* checkAmounts("status.hard", status.hard);
  yield* checkAmounts("status.used", status.used);
}
