import { type ClusterRole, labelSelectorOf, type PolicyRule, SelectorError } from "@skiff/api";
import { jsonEqual } from "@skiff/base";

/**
 * The rules that an aggregated role shall have: those of the roles that its selectors name, selector by selector, each rule
 * once. `undefined` where the role is right as it is.
 */
export function planAggregation(role: ClusterRole, all: readonly ClusterRole[]): readonly PolicyRule[] | undefined {
  const { aggregationRule, metadata } = role;
  if (aggregationRule === undefined) return undefined;
  const others = all
    .filter((other) => other.metadata.name !== metadata.name)
    .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  const rules: PolicyRule[] = [];
  for (const selector of aggregationRule.clusterRoleSelectors ?? []) {
    for (const part of others.filter((other) => selects(selector, other))) {
      for (const rule of part.rules ?? []) if (!rules.some((known) => jsonEqual(known, rule))) rules.push(rule);
    }
  }
  return jsonEqual(rules, role.rules ?? []) ? undefined : rules;
}

function selects(selector: Parameters<typeof labelSelectorOf>[0], { metadata }: ClusterRole): boolean {
  try {
    return labelSelectorOf(selector).matches(metadata.labels);
  } catch (error) {
    if (error instanceof SelectorError) return false;
    throw error;
  }
}
