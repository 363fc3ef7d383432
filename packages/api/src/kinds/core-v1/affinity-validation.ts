import { fieldError } from "../../field-error.ts";
import type {
  Affinity,
  NodeAffinity,
  NodeSelector,
  NodeSelectorRequirement,
  NodeSelectorTerm,
  PodAffinity,
  PodAffinityTerm,
} from "../../generated/types/core-v1.ts";
import { checkQualifiedName, type Findings, invalidFor } from "../../validation/checks.ts";
import { checkLabelSelector } from "../../validation/labels.ts";
import { dnsLabel, dnsSubdomain, labelValue } from "../../validation/names.ts";
import { checkLabelKeys } from "./label-keys.ts";

/** Where a pod wants to run. */
export function* checkAffinity(field: string, affinity: Affinity | undefined): Findings {
  if (affinity?.nodeAffinity) yield* checkNodeAffinity(`${field}.nodeAffinity`, affinity.nodeAffinity);
  if (affinity?.podAffinity) yield* checkPodAffinity(`${field}.podAffinity`, affinity.podAffinity);
  if (affinity?.podAntiAffinity) yield* checkPodAffinity(`${field}.podAntiAffinity`, affinity.podAntiAffinity);
}

const required = "requiredDuringSchedulingIgnoredDuringExecution";
const preferred = "preferredDuringSchedulingIgnoredDuringExecution";

/** Which nodes a pod wants. */
export function* checkNodeAffinity(field: string, affinity: NodeAffinity): Findings {
  const selector = affinity[required];
  if (selector) yield* checkNodeSelector(`${field}.${required}`, selector);
  for (const [index, { weight, preference }] of (affinity[preferred] ?? []).entries()) {
    const path = `${field}.${preferred}[${index}]`;
    yield* checkWeight(`${path}.weight`, weight);
    yield* checkTerm(`${path}.preference`, preference, { labelValues: false });
  }
}

function* checkWeight(field: string, weight: number): Findings {
  if (!(weight > 0 && weight <= 100)) yield fieldError.invalid(field, weight, "must be in the range 1-100");
}

/** Nodes by terms, at least one. */
export function* checkNodeSelector(field: string, { nodeSelectorTerms }: NodeSelector): Findings {
  const path = `${field}.nodeSelectorTerms`;
  if (!nodeSelectorTerms?.length) yield fieldError.required(path, "must have at least one node selector term");
  for (const [index, term] of (nodeSelectorTerms ?? []).entries()) {
    yield* checkTerm(`${path}[${index}]`, term, { labelValues: true });
  }
}

function* checkTerm(field: string, term: NodeSelectorTerm, options: { readonly labelValues: boolean }): Findings {
  for (const [index, requirement] of (term?.matchExpressions ?? []).entries()) {
    yield* checkExpression(`${field}.matchExpressions[${index}]`, requirement, options);
  }
  for (const [index, requirement] of (term?.matchFields ?? []).entries()) {
    yield* checkFieldRequirement(`${field}.matchFields[${index}]`, requirement);
  }
}

function* checkExpression(
  field: string,
  { key, operator, values = [] }: NodeSelectorRequirement,
  { labelValues }: { readonly labelValues: boolean },
): Findings {
  const path = `${field}.values`;
  switch (operator) {
    case "In":
    case "NotIn":
      if (values.length === 0) {
        yield fieldError.required(path, "must be specified when `operator` is 'In' or 'NotIn'");
      }
      break;
    case "Exists":
    case "DoesNotExist":
      if (values.length > 0) {
        yield fieldError.forbidden(path, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
      }
      break;
    case "Gt":
    case "Lt":
      if (values.length !== 1) {
        yield fieldError.required(path, "must be specified single value when `operator` is 'Lt' or 'Gt'");
      }
      break;
    default:
      yield fieldError.invalid(`${field}.operator`, operator, "not a valid selector operator");
  }
  yield* checkQualifiedName(`${field}.key`, key);
  if (!labelValues) return;
  for (const [index, value] of values.entries()) yield* invalidFor(`${path}[${index}]`, value, labelValue(value));
}

function* checkFieldRequirement(field: string, { key, operator, values = [] }: NodeSelectorRequirement): Findings {
  if (operator !== "In" && operator !== "NotIn") {
    yield fieldError.invalid(`${field}.operator`, operator, "not a valid selector operator");
  } else if (values.length !== 1) {
    const message = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector";
    yield fieldError.required(`${field}.values`, message);
  }
  if (key !== "metadata.name") return yield fieldError.invalid(`${field}.key`, key, "not a valid field selector key");
  for (const [index, value] of values.entries()) {
    yield* invalidFor(`${field}.values[${index}]`, value, dnsSubdomain(value));
  }
}

function* checkPodAffinity(field: string, affinity: PodAffinity): Findings {
  for (const [index, term] of (affinity[required] ?? []).entries()) {
    yield* checkPodTerm(`${field}.${required}[${index}]`, term);
  }
  for (const [index, { weight, podAffinityTerm }] of (affinity[preferred] ?? []).entries()) {
    const path = `${field}.${preferred}[${index}]`;
    yield* checkWeight(`${path}.weight`, weight);
    yield* checkPodTerm(`${path}.podAffinityTerm`, podAffinityTerm);
  }
}

function* checkPodTerm(field: string, term: PodAffinityTerm = { topologyKey: "" }): Findings {
  const { labelSelector, namespaceSelector, namespaces = [] } = term;
  yield* checkLabelSelector(`${field}.labelSelector`, labelSelector);
  yield* checkLabelSelector(`${field}.namespaceSelector`, namespaceSelector);
  for (const name of namespaces) yield* invalidFor(`${field}.namespace`, name, dnsLabel(name));
  yield* checkLabelKeys(field, term);
  if (!term.topologyKey) yield fieldError.required(`${field}.topologyKey`, "can not be empty");
  yield* checkQualifiedName(`${field}.topologyKey`, term.topologyKey ?? "");
}
