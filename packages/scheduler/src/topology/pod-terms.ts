import type { LabelMatcher } from "@skiff/api";
import {
  type LabelSelector,
  type Labels,
  labelSelectorOf,
  nothing,
  type Pod,
  type PodAffinityTerm,
  SelectorError,
  type WeightedPodAffinityTerm,
} from "@skiff/api";
import { inScope } from "./label-buckets.ts";

/** Labels of a namespace. */
export type NamespaceLabels = (namespace: string) => Labels | undefined;

/** A term of pod affinity as it was meant by the pod that has it. */
export interface PodTerm {
  /** The same for terms that say the same. */
  readonly key: string;
  readonly topologyKey: string;
  readonly namespaces: ReadonlySet<string>;
  /** Namespaces that match are meant too; `nothing` where none are. */
  readonly namespaceSelector: LabelMatcher;
  readonly selector: LabelMatcher;
  /** Negative where the term keeps pods apart; for required ones the sign alone. */
  readonly weight: number;
}

/** All terms of a pod. */
export interface PodTerms {
  readonly requiredAffinity: readonly PodTerm[];
  readonly requiredAntiAffinity: readonly PodTerm[];
  readonly preferred: readonly PodTerm[];
}

const none: PodTerms = { requiredAffinity: [], requiredAntiAffinity: [], preferred: [] };
const known = new WeakMap<Pod, PodTerms>();
const alike = new Map<string, PodTerms>();
const alikeLimit = 4_096;

/** The terms of a pod; pods whose terms say the same share them. */
export function podTerms(pod: Pod): PodTerms {
  const { affinity } = pod.spec;
  if (affinity?.podAffinity === undefined && affinity?.podAntiAffinity === undefined) return none;
  const remembered = known.get(pod);
  if (remembered !== undefined) return remembered;
  const { podAffinity, podAntiAffinity } = affinity;
  const text = JSON.stringify([pod.metadata.namespace, podAffinity, podAntiAffinity]);
  let terms = alike.get(text);
  if (terms === undefined) {
    terms = {
      requiredAffinity: required(podAffinity?.requiredDuringSchedulingIgnoredDuringExecution, pod, 1),
      requiredAntiAffinity: required(podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution, pod, -1),
      preferred: [
        ...preferred(podAffinity?.preferredDuringSchedulingIgnoredDuringExecution, pod, 1),
        ...preferred(podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution, pod, -1),
      ],
    };
    alike.set(text, terms);
    const [oldest] = alike.size > alikeLimit ? alike.keys() : [];
    if (oldest !== undefined) alike.delete(oldest);
  }
  known.set(pod, terms);
  return terms;
}

/** Whether a term means a pod. */
export function termMatches(term: PodTerm, pod: Pod, namespaceLabels: NamespaceLabels): boolean {
  const namespace = pod.metadata.namespace ?? "";
  const inNamespace =
    term.namespaces.has(namespace) ||
    (term.namespaceSelector !== nothing && term.namespaceSelector.matches(namespaceLabels(namespace)));
  return inNamespace && inScope({ namespaces: undefined, selector: term.selector }, pod);
}

const required = (terms: readonly PodAffinityTerm[] | undefined, pod: Pod, sign: 1 | -1): readonly PodTerm[] =>
  (terms ?? []).map((term) => termOf(term, pod, sign));

const preferred = (terms: readonly WeightedPodAffinityTerm[] | undefined, pod: Pod, sign: 1 | -1) =>
  (terms ?? []).map(({ podAffinityTerm, weight }) => termOf(podAffinityTerm, pod, sign * weight));

function termOf(term: PodAffinityTerm, pod: Pod, weight: number): PodTerm {
  const { topologyKey, namespaceSelector } = term;
  const named = term.namespaces ?? [];
  const namespaces = new Set(
    named.length === 0 && namespaceSelector === undefined ? [pod.metadata.namespace ?? ""] : named,
  );
  // What `matchLabelKeys` and `mismatchLabelKeys` mean has been in the selector since the pod was created.
  const wanted = selectorOf(term.labelSelector);
  const spaces = namespaceSelector === undefined ? nothing : selectorOf(namespaceSelector);
  const spacesText = spaces === nothing ? "" : `*${spaces.text}`;
  const selectorText = wanted === nothing ? "!" : wanted.text;
  const key = [weight, topologyKey, [...namespaces].sort().join(","), spacesText, selectorText].join("|");
  return { key, topologyKey, namespaces, namespaceSelector: spaces, selector: wanted, weight };
}

/** The API has checked selectors; one that cannot be read all the same matches nothing. */
export function selectorOf(selector: LabelSelector | undefined): LabelMatcher {
  try {
    return labelSelectorOf(selector);
  } catch (error) {
    if (error instanceof SelectorError) return nothing;
    throw error;
  }
}

/** A selector that also asks for the pod's own values of some labels. */
export function withLabelsOf(
  { metadata }: Pod,
  selector: LabelSelector | undefined,
  keys: readonly string[] = [],
): LabelSelector | undefined {
  if (selector === undefined || keys.length === 0) return selector;
  const own = keys.flatMap((key) => {
    const value = metadata.labels?.[key];
    return value === undefined ? [] : [{ key, operator: "In", values: [value] }];
  });
  return { ...selector, matchExpressions: [...(selector.matchExpressions ?? []), ...own] };
}
