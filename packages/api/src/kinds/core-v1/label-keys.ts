import { fieldError } from "../../field-error.ts";
import type { Pod, PodAffinity } from "../../generated/types/core-v1.ts";
import type { LabelSelector, LabelSelectorRequirement } from "../../generated/types/meta-v1.ts";
import { checkQualifiedName, type Findings } from "../../validation/checks.ts";

interface LabelKeys {
  labelSelector?: LabelSelector | undefined;
  readonly matchLabelKeys?: readonly string[] | undefined;
  readonly mismatchLabelKeys?: readonly string[] | undefined;
}

/**
 * Writes the new pod's own values of the labels that its terms and constraints name by key into their selectors, where everybody who reads
 * them finds them; what becomes of the pod's labels later changes nothing.
 */
export function mergeLabelKeys({ metadata, spec }: Pod): void {
  const { labels = {} } = metadata;
  const terms = ({
    requiredDuringSchedulingIgnoredDuringExecution: required = [],
    preferredDuringSchedulingIgnoredDuringExecution: preferred = [],
  }: PodAffinity) => [...preferred.map(({ podAffinityTerm }) => podAffinityTerm), ...required];
  const { podAffinity = {}, podAntiAffinity = {} } = spec.affinity ?? {};
  for (const term of [...terms(podAffinity), ...terms(podAntiAffinity), ...(spec.topologySpreadConstraints ?? [])]) {
    merge(term, labels);
  }
}

function merge(keyed: LabelKeys, labels: Readonly<Record<string, string>>): void {
  const { labelSelector, matchLabelKeys = [], mismatchLabelKeys = [] } = keyed;
  // Without a selector nothing is meant, whatever the labels.
  if (labelSelector === undefined) return;
  const requirements = [
    ...requirementsOf(matchLabelKeys, "In", labels),
    ...requirementsOf(mismatchLabelKeys, "NotIn", labels),
  ];
  if (requirements.length === 0) return;
  keyed.labelSelector = {
    ...labelSelector,
    matchExpressions: [...(labelSelector.matchExpressions ?? []), ...requirements],
  };
}

const requirementsOf = (
  keys: readonly string[],
  operator: string,
  labels: Readonly<Record<string, string>>,
): LabelSelectorRequirement[] =>
  keys.flatMap((key) => {
    const value = labels[key];
    return value === undefined ? [] : [{ key, operator, values: [value] }];
  });

/**
 * Keys of labels beside a selector. In a pod that is new they are in its selector already: a key that it has twice was in both, as
 * Kubernetes finds (and it names the place by the key's index alone).
 */
export function* checkLabelKeys(field: string, keyed: LabelKeys): Findings {
  const { labelSelector, matchLabelKeys = [], mismatchLabelKeys = [] } = keyed;
  for (const [member, keys] of Object.entries({ matchLabelKeys, mismatchLabelKeys })) {
    if (keys.length > 0 && labelSelector === undefined) {
      yield fieldError.forbidden(`${field}.${member}`, "must not be specified when labelSelector is not set");
    } else for (const [index, key] of keys.entries()) yield* checkQualifiedName(`${field}.${member}[${index}]`, key);
  }
  const selected = new Set(Object.keys(labelSelector?.matchLabels ?? {}));
  for (const { key } of labelSelector?.matchExpressions ?? []) {
    const index = matchLabelKeys.lastIndexOf(key);
    if (index !== -1 && selected.has(key)) {
      yield fieldError.invalid(`${field}[${index}]`, key, "exists in both matchLabelKeys and labelSelector");
    }
    selected.add(key);
  }
  for (const [index, key] of matchLabelKeys.entries()) {
    if (!mismatchLabelKeys.includes(key)) continue;
    const message = "exists in both matchLabelKeys and mismatchLabelKeys";
    yield fieldError.invalid(`${field}.matchLabelKeys[${index}]`, key, message);
  }
}
