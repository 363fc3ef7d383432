import { fieldError } from "../../field-error.ts";
import type { ClusterRole, PolicyRule, Role } from "../../generated/types/rbac-v1.ts";
import type { Findings } from "../../validation/checks.ts";
import { checkLabelSelector } from "../../validation/labels.ts";

/** The rules of a role. One in a namespace can say nothing of paths. */
export function* checkRules({ rules = [] }: Role | ClusterRole, options: { readonly namespaced: boolean }): Findings {
  for (const [index, rule] of rules.entries()) yield* checkRule(`rules[${index}]`, rule, options.namespaced);
}

function* checkRule(field: string, rule: PolicyRule, namespaced: boolean): Findings {
  const { verbs = [], apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] } = rule;
  if (verbs.length === 0) yield fieldError.required(`${field}.verbs`, "verbs must contain at least one value");
  if (nonResourceURLs.length > 0) {
    const invalid = (why: string) => fieldError.invalid(`${field}.nonResourceURLs`, nonResourceURLs, why);
    if (namespaced) yield invalid("namespaced rules cannot apply to non-resource URLs");
    if (apiGroups.length + resources.length + resourceNames.length > 0) {
      yield invalid("rules cannot apply to both regular resources and non-resource URLs");
    }
    return;
  }
  if (apiGroups.length === 0) {
    yield fieldError.required(`${field}.apiGroups`, "resource rules must supply at least one api group");
  }
  if (resources.length === 0) {
    yield fieldError.required(`${field}.resources`, "resource rules must supply at least one resource");
  }
}

/** The selectors of a role that is put together from others. */
export function* checkAggregation({ aggregationRule }: ClusterRole): Findings {
  if (aggregationRule === undefined) return;
  const field = "aggregationRule.clusterRoleSelectors";
  const selectors = aggregationRule.clusterRoleSelectors ?? [];
  if (selectors.length === 0) {
    yield fieldError.required(field, "at least one clusterRoleSelector required if aggregationRule is non-nil");
  }
  for (const [index, selector] of selectors.entries()) yield* checkLabelSelector(`${field}[${index}]`, selector);
}
